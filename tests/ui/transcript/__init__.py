"""Tests of the transcript: layout, growing Markdown, the model, the view."""
