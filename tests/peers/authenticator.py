"""authenticator.py - the app on a telephone: reads the modules of a QR code (ISO 18004; versions 5 to 10, level M,
bytes), and shows the codes of its secret (RFC 6238), by other hands than ours."""
# SPDX-License-Identifier: ISC
import base64
import hmac
import struct

ALIGNED = {5: (6, 30), 6: (6, 34), 7: (6, 22, 38), 8: (6, 24, 42), 9: (6, 26, 46), 10: (6, 28, 50)}
BLOCKS = {5: [43] * 2, 6: [27] * 4, 7: [31] * 4, 8: [38] * 2 + [39] * 2, 9: [36] * 3 + [37] * 2, 10: [43] * 4 + [44]}
MASKS = (lambda y, x: (y + x) % 2, lambda y, x: y % 2, lambda y, x: x % 3, lambda y, x: (y + x) % 3,
         lambda y, x: (y // 2 + x // 3) % 2, lambda y, x: y * x % 2 + y * x % 3,
         lambda y, x: (y * x % 2 + y * x % 3) % 2, lambda y, x: ((y + x) % 2 + y * x % 3) % 2)


def is_function(y, x, size, version):
    """Finders, timing, alignment, format and version: no data."""
    if 6 in (x, y) or min(x, y) < 9 and (max(x, y) < 9 or max(x, y) >= size - 8):
        return True
    if version >= 7 and ((y < 6 and x >= size - 11) or (x < 6 and y >= size - 11)):
        return True
    last = ALIGNED[version][-1]
    return any(abs(y - cy) <= 2 and abs(x - cx) <= 2 for cy in ALIGNED[version] for cx in ALIGNED[version]
               if (cy, cx) not in ((6, 6), (6, last), (last, 6)))


def bits_of(grid, version):
    size = len(grid)
    mask = MASKS[sum(grid[8][2 + i] << 2 - i for i in range(3)) ^ 0b101]
    upward, columns = True, [x for x in range(size - 1, 0, -2) if x > 6] + [5, 3, 1]
    for right in columns:
        for y in range(size - 1, -1, -1) if upward else range(size):
            for x in (right, right - 1):
                if not is_function(y, x, size, version):
                    yield grid[y][x] ^ (mask(y, x) == 0)
        upward = not upward


def read(rows):
    """The text of rows of 0 and 1, as /v1/factor has them."""
    grid = [[module == "1" for module in row] for row in rows]
    assert all(len(row) == len(grid) for row in grid) and set("".join(rows)) == {"0", "1"}
    version = (len(grid) - 17) // 4
    bits = list(bits_of(grid, version))
    words = [sum(bit << 7 - i for i, bit in enumerate(bits[at:at + 8])) for at in range(0, len(bits) - 7, 8)]
    blocks, at = [[] for _ in BLOCKS[version]], 0
    for i in range(max(BLOCKS[version])):
        for block, size in zip(blocks, BLOCKS[version]):
            if i < size:
                block.append(words[at])
                at += 1
    data = int.from_bytes(bytes(sum(blocks, [])), "big")
    total = 8 * sum(BLOCKS[version])
    wide = 16 if version >= 10 else 8
    assert data >> total - 4 == 4
    size = data >> total - 4 - wide & (1 << wide) - 1
    return (data >> total - 4 - wide - 8 * size & (1 << 8 * size) - 1).to_bytes(size, "big").decode()


def code_of(secret, step):
    """The six digits of that step of 30 seconds."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), "sha1")
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at:at + 4], 'big') & 0x7fffffff) % 10**6:06}"
