"""The main screen and the dialogs over it; every dialog closes with Esc and says so."""
