#!/usr/bin/python3
"""A WebKitGTK browser for WebKitWebDriver, which starts it and opens its windows.

The profile is the folder in SHEETBEND_PROFILE. SHEETBEND_DARK asks for the dark theme. Console messages and uncaught errors go
to standard output.
"""

import os

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2  # noqa: E402

profile = os.environ["SHEETBEND_PROFILE"]
context = WebKit2.WebContext.new_with_website_data_manager(
    WebKit2.WebsiteDataManager(base_data_directory=f"{profile}/data", base_cache_directory=f"{profile}/cache")
)
context.set_automation_allowed(True)
settings = WebKit2.Settings(enable_write_console_messages_to_stdout=True)
if os.environ.get("SHEETBEND_DARK"):
    Gtk.Settings.get_default().set_property("gtk-application-prefer-dark-theme", True)


def create_view(_session):
    messages = WebKit2.UserContentManager()
    view = WebKit2.WebView(
        web_context=context, is_controlled_by_automation=True, settings=settings, user_content_manager=messages
    )
    window = Gtk.Window(default_width=1280, default_height=800)
    window.add(view)
    view.connect("close", lambda _view: window.destroy())
    # There is no window manager, which would give the focus to the window that is used: the driver asks for it.
    messages.connect("script-message-received::focus", lambda _messages, _result: window.present())
    messages.register_script_message_handler("focus")
    window.show_all()
    return view


def start(_context, session):
    info = WebKit2.ApplicationInfo()
    info.set_name("webkit-browser")
    info.set_version(WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version())
    session.set_application_info(info)
    session.connect("create-web-view", create_view)


context.connect("automation-started", start)
Gtk.main()
