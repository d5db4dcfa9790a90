"""The widgets of the main screen, one of each for the whole program: they draw the pane in front."""
