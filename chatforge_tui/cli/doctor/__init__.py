"""`chatforge doctor`: looks at terminal, store, endpoints, proxies and versions, and says what to do about what it finds."""
