//! A PostgreSQL of the tests' own, on a free port, in a temporary folder. It ends with the tests, however they end.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio_postgres::NoTls;

use super::certificates::Certificates;

/// A running PostgreSQL.
pub(crate) struct Cluster {
    port: u16,
    /// It encrypts, for those who ask for it.
    pub(crate) certificates: Certificates,
    /// While its standard input is open, PostgreSQL runs; at each line it crashes and is started again.
    keeper: Child,
    databases: AtomicUsize,
}

/// The cluster that all tests share, each with a database of its own. `None` if PostgreSQL is not installed, which is said; with
/// `SHEETBEND_REQUIRE_POSTGRES` set it must be.
pub(crate) async fn shared() -> Option<&'static Cluster> {
    static CLUSTER: OnceCell<Option<Cluster>> = OnceCell::const_new();
    CLUSTER.get_or_init(async || Cluster::start().await).await.as_ref()
}

impl Cluster {
    /// Starts one; `None` if PostgreSQL is not installed.
    pub(crate) async fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(std::env::var_os("SHEETBEND_REQUIRE_POSTGRES").is_none(), "PostgreSQL is to be here, and is not");
            eprintln!("PostgreSQL is not installed: its tests did NOT run (Debian: apt install postgresql).");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        // Its input ends when the tests do: then PostgreSQL is stopped, and its folder goes.
        let script = r#"
            folder=$(mktemp -d "${TMPDIR:-/tmp}/sheetbend-postgres-XXXXXX") || exit 1
            "$1/initdb" -D "$folder/data" -U tester --auth=trust --no-sync --encoding=UTF8 --locale=C >/dev/null || exit 1
            printf %s "$3" >"$folder/pem"
            (umask 077 && printf %s "$4" >"$folder/key")
            serve() {
                "$1/postgres" -D "$folder/data" -h 127.0.0.1 -p "$2" -k "$folder" -c fsync=off -c max_connections=300 \
                    -c log_min_messages=panic -c ssl=on -c ssl_cert_file="$folder/pem" -c ssl_key_file="$folder/key" </dev/null &
            }
            serve "$1" "$2"
            while read -r _; do
                kill -QUIT $!
                wait
                serve "$1" "$2"
            done
            kill -QUIT $!
            wait
            rm -rf "$folder"
        "#;
        let mut command = as_somebody();
        let certificates = Certificates::make();
        let text = |path| std::fs::read_to_string(path).expect("reads");
        command.args(["sh", "-c", script, "sh"]).arg(programs).arg(port.to_string());
        command.args([text(certificates.certificate()), text(certificates.key())]);
        let keeper = command.stdin(Stdio::piped()).stdout(Stdio::null()).current_dir("/").spawn().expect("starts");
        let cluster = Self { port, certificates, keeper, databases: AtomicUsize::new(0) };
        cluster.is_up().await;
        Some(cluster)
    }

    async fn is_up(&self) {
        let (address, begin) = (self.address("postgres"), std::time::Instant::now());
        while tokio_postgres::connect(&address, NoTls).await.is_err() {
            assert!(begin.elapsed() < Duration::from_secs(60), "PostgreSQL does not come up");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// All its processes end at once, as in a power cut; then it is started again. Returns when it is there.
    pub(crate) async fn crash(&mut self) {
        // Until it was started again it may still answer: that it has gone is seen by a connection that breaks.
        let (_client, connection) = tokio_postgres::connect(&self.address("postgres"), NoTls).await.expect("connects");
        self.keeper.stdin.as_mut().expect("piped").write_all(b"crash\n").expect("is told");
        let _ = connection.await;
        self.is_up().await;
    }

    /// The address of a new database.
    pub(crate) async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &format!("CREATE DATABASE {name}")).await;
        self.address(&name)
    }

    /// The address of a new database with the same rows as another that nobody is connected to, but for what the statement alters.
    pub(crate) async fn copy(&self, address: &str, statement: &str) -> String {
        let name = |address: &str| address.rsplit_once('/').expect("an address").1.to_owned();
        let copy = self.address(&format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed)));
        self.run("postgres", &format!("CREATE DATABASE {} TEMPLATE {}", name(&copy), name(address))).await;
        let (client, connection) = tokio_postgres::connect(&copy, NoTls).await.expect("connects");
        let connection = tokio::spawn(connection);
        assert!(client.execute(statement, &[]).await.expect(statement) > 0, "{statement}");
        drop(client);
        connection.await.expect("ends").expect("well");
        copy
    }

    /// How many of this program's lines to a database are encrypted.
    pub(crate) async fn encrypted(&self, address: &str) -> i64 {
        const COUNT: &str = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                             WHERE ssl AND application_name = 'sheetbend' AND datname = current_database()";
        let (client, connection) = tokio_postgres::connect(address, NoTls).await.expect("connects");
        tokio::spawn(connection);
        client.query_one(COUNT, &[]).await.expect("is run").get(0)
    }

    /// Runs a statement as the owner of everything.
    pub(crate) async fn run(&self, database: &str, statement: &str) {
        let (client, connection) = tokio_postgres::connect(&self.address(database), NoTls).await.expect("connects");
        let connection = tokio::spawn(connection);
        client.batch_execute(statement).await.expect("is run");
        drop(client);
        connection.await.expect("ends").expect("well");
    }

    fn address(&self, database: &str) -> String {
        format!("postgres://tester@127.0.0.1:{}/{database}", self.port)
    }
}

/// The folder with PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debians = installed.map(|version| version.path().join("bin"));
    let on_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    debians.chain(on_path.into_iter().flatten()).find(|folder| has(folder, "initdb") && has(folder, "postgres"))
}

fn has(folder: &Path, program: &str) -> bool {
    folder.join(program).is_file()
}

/// A command's beginning: PostgreSQL does not run as root, so then it runs as the user that its package has made.
fn as_somebody() -> Command {
    let id = Command::new("id").arg("-u").output().expect("is there");
    if id.stdout.trim_ascii() == b"0" {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]);
        return command;
    }
    Command::new("env")
}
