"""Decoding of a compressed body in bounded pieces. Servers are asked not to compress; some do it all the same.

A gzip bomb of one megabyte holds a gigabyte: it comes out of here piece by piece, so that whoever counts can stop.
"""

import zlib
from collections.abc import Iterator
from typing import Final

from chatforge_tui.errors import ProtocolMismatch, StreamLost

_PIECE: Final = 256 * 1024
"""Most bytes decoded at once."""


class Inflater:
    """Decodes one body that is encoded with gzip or deflate."""

    def __init__(self, encoding: str) -> None:
        """Begin a body.

        Args:
            encoding: value of Content-Encoding, in any case.

        Raises:
            ProtocolMismatch: an encoding that was not asked for and is not known.
        """
        name = encoding.strip().lower()
        if name not in ("gzip", "x-gzip", "deflate"):
            raise ProtocolMismatch(
                f"The answer is encoded as {encoding[:40]!r}, though it was asked for as it is.",
                hint="A gateway in between may add the encoding: switch it off for this endpoint.",
            )
        self._is_deflate = name == "deflate"
        self._decoder = zlib.decompressobj(zlib.MAX_WBITS if self._is_deflate else zlib.MAX_WBITS | 16)
        self._is_first = True

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what these bytes decode to, in pieces of bounded size.

        Raises:
            StreamLost: they are damaged.
        """
        while chunk and not self._decoder.eof:
            piece = self._decode(chunk)
            chunk = self._decoder.unconsumed_tail
            if piece:
                yield piece

    def _decode(self, chunk: bytes) -> bytes:
        """Decode one piece. "deflate" means zlib by the standard and a raw stream in some servers: the first bytes tell."""
        try:
            piece = self._decoder.decompress(chunk, _PIECE)
        except zlib.error as error:
            if not (self._is_deflate and self._is_first):
                raise StreamLost("The compressed answer is damaged.") from error
            self._is_first = False
            self._decoder = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._decode(chunk)
        self._is_first = False
        return piece
