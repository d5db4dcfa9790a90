"""Wire to StreamEvent. The only package that imports httpx."""
