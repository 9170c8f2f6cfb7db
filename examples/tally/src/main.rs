//! The server: `cargo leptos watch` in this folder, then http://127.0.0.1:3100.

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    use leptos::prelude::*;
    use leptos_axum::{LeptosRoutes, file_and_error_handler_with_context, generate_route_list};
    use sheetbend::server::store::sqlite::Sqlite;
    use sheetbend::server::{NewBoard, Server, Settings};
    use tally::tally::Tally;
    use tally::{App, shell, the_tally};

    let options = get_configuration(Some("Cargo.toml"))?.leptos_options;
    let folder = std::env::args().nth(1).unwrap_or_else(|| "data".to_owned());
    let server = Server::<Tally, _>::new(Sqlite::open(folder.as_ref())?, Settings::default());
    let (id, edit_key) = the_tally();
    server.create(NewBoard { id, view_key: edit_key.view_key(), edit_key }).await?;

    let (given, made) = (server.clone(), options.clone());
    let context = move || provide_context(given.clone());
    let page = move || shell(made.clone());
    let app = axum::Router::new()
        .leptos_routes_with_context(&options, generate_route_list(App), context.clone(), page)
        .fallback(file_and_error_handler_with_context(context, shell))
        .with_state(options.clone())
        .merge(server.router());
    let listener = tokio::net::TcpListener::bind(options.site_addr).await?;
    println!("Tally serves on http://{}", listener.local_addr()?);
    server.serve(listener, app).await;
    Ok(())
}
