"""The composition root: flags to settings, to store, endpoints and manager, to the UI or to headless output."""
