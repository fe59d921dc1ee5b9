"""The frames of a zstd stream (RFC 8878), fed to the library a few blocks at a time.

The library's stream reader cannot tell a cut stream from a whole one, and its other
interface may give gigabytes for one call. Blocks expand to 128 KiB at most, and their headers
are three bytes, so walking them bounds memory and finds every cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.layer.blocks import Blocks
from pytest_images.layer.compression import Broken, is_skippable

if TYPE_CHECKING:
    from zstandard import ZstdDecompressionObj

    from pytest_images.layer.blocks import Readable

_MAGIC = b"\x28\xb5\x2f\xfd"
_BLOCK_LIMIT = 128 << 10
_BATCH = 2  # blocks given to the library at once: 256 KiB out at most
_ID_SIZES = (0, 1, 2, 4)
_CONTENT_SIZES = (0, 2, 4, 8)
_RLE, _RESERVED = 1, 3


class Frames:
    """Inflates frame after frame; skippable frames are passed over."""

    def __init__(self, stream: Readable, window_limit: int) -> None:
        self._input = Blocks(stream)
        self._window_limit = window_limit
        self._frame: ZstdDecompressionObj | None = None
        self._has_checksum = False

    def read(self, size: int) -> bytes:
        """Return the next piece of output, 256 KiB or less; ``b""`` at the end only."""
        while True:
            if self._frame is None:
                if not self._open():
                    return b""
            elif piece := self._inflate(self._frame):
                return piece

    def _open(self) -> bool:
        """Start the next frame; False at the end of the stream."""
        while magic := self._input.take(4):
            if magic == _MAGIC:
                self._begin()
                return True
            if not is_skippable(magic):
                raise Broken("something else follows its end")
            if not self._input.skip(int.from_bytes(self._take(4), "little")):
                raise Broken("it is cut")
        return False

    def _begin(self) -> None:
        """Read a frame's header, check its window before the library allocates it."""
        import zstandard

        descriptor = self._take(1)
        flags = descriptor[0]
        is_single = bool(flags & 0x20)
        window = b"" if is_single else self._take(1)
        identifier = self._take(_ID_SIZES[flags & 3])
        content = self._take(_CONTENT_SIZES[flags >> 6] or int(is_single))
        if identifier.strip(b"\0"):
            raise Broken("it needs a dictionary")
        size = _window_size(window[0]) if window else _content_size(content)
        if size > self._window_limit:
            raise Broken(f"its window of {size} bytes exceeds the limit of {self._window_limit}")
        self._has_checksum = bool(flags & 4)
        library = zstandard.ZstdDecompressor(max_window_size=self._window_limit)
        self._frame = library.decompressobj()
        self._frame.decompress(_MAGIC + descriptor + window + identifier + content)

    def _inflate(self, frame: ZstdDecompressionObj) -> bytes:
        """Feed a few blocks; end the frame after its last one."""
        batch = b""
        for _ in range(_BATCH):
            block, is_last = self._block()
            batch += block
            if is_last:
                batch += self._take(4) if self._has_checksum else b""
                self._frame = None
                break
        piece: bytes = frame.decompress(batch)
        if self._frame is None and not frame.eof:
            raise Broken("a frame does not end where its blocks end")
        return piece

    def _block(self) -> tuple[bytes, bool]:
        """Return one block with its header, and whether it is the frame's last."""
        head = self._take(3)
        value = int.from_bytes(head, "little")
        is_last, kind, size = bool(value & 1), value >> 1 & 3, value >> 3
        if kind == _RESERVED or size > _BLOCK_LIMIT:
            raise Broken("a block is larger than a block can be, or of no known type")
        return head + self._take(1 if kind == _RLE else size), is_last

    def _take(self, size: int) -> bytes:
        taken = self._input.take(size)
        if len(taken) < size:
            raise Broken("it is cut")
        return taken


def _window_size(descriptor: int) -> int:
    base = 1 << (10 + (descriptor >> 3))
    return base + (base >> 3) * (descriptor & 7)


def _content_size(field: bytes) -> int:
    """Return the content size of a frame without a window of its own: it is the window."""
    return int.from_bytes(field, "little") + (256 if len(field) == 2 else 0)
