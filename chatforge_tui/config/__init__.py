"""Settings, locations, credentials, key table."""
