"""analytics.js for the classic snippet, out of an installed @segment/analytics-next."""

import re
from hashlib import blake2b
from pathlib import Path
from typing import Final

from loader.collector.http import Answer, refusal

_SNIPPET: Final = re.compile(r"/analytics\.js/v1/[^/]{1,200}/analytics\.min\.js")
_BUNDLE: Final = re.compile(r"/analytics-next/bundles/([A-Za-z0-9][A-Za-z0-9._-]{0,199}\.js)")
_HASHED: Final = re.compile(r".+\.bundle\.[0-9a-f]{16,}\.js")  # a name that no other content gets
_MAX_FILE_BYTES: Final = 4 * 1024 * 1024
_MAX_FILES: Final = 64
_NOT_CONFIGURED: Final = refusal(
    404,
    "analytics_js_not_configured",
    "analytics.js is not served here; set collector.analytics_js in headwater.yml to the folder"
    " of an installed @segment/analytics-next",
)


class AnalyticsJs:
    """Serves the scripts in `folder`/dist/umd; each is read once, and again when it changed."""

    def __init__(self, folder: Path | None) -> None:
        self._scripts = folder / "dist" / "umd" if folder else None
        self._cache: dict[str, tuple[tuple[int, int], Answer]] = {}

    def answer(self, path: str, if_none_match: str = "") -> Answer | None:
        """The script at `path`; None if that is no script's address.

        `if_none_match` is the header of that name: who has the script is told that it still holds.
        """
        bundle = _BUNDLE.fullmatch(path)
        if not bundle and not _SNIPPET.fullmatch(path):
            return None
        if self._scripts is None:
            return _NOT_CONFIGURED
        name = bundle[1] if bundle else "standalone.js"
        answer = self._read(self._scripts, name)
        if answer is None:
            return refusal(
                404, "no_such_script", f"dist/umd/{name}: the installed package has no such file"
            )
        if if_none_match and answer.headers["ETag"] in if_none_match:
            return Answer(304, content_type=answer.content_type, headers=answer.headers)
        return answer

    def _read(self, scripts: Path, name: str) -> Answer | None:
        path = scripts / name
        try:
            if path.is_symlink() or not path.is_file():
                return None  # a link could lead anywhere; npm makes none
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            found = self._cache.get(name)
            if found and found[0] == stamp:
                return found[1]
            if status.st_size > _MAX_FILE_BYTES:
                return None
            answer = _script(name, path.read_bytes())
        except OSError:
            return None
        if len(self._cache) >= _MAX_FILES:
            self._cache.clear()
        self._cache[name] = (stamp, answer)
        return answer


def _script(name: str, content: bytes) -> Answer:
    lasting = "public, max-age=31536000, immutable"
    headers = {
        "ETag": f'"{blake2b(content, digest_size=12).hexdigest()}"',
        "Cache-Control": lasting if _HASHED.fullmatch(name) else "public, max-age=300",
        "X-Content-Type-Options": "nosniff",
    }
    return Answer(200, content, "text/javascript; charset=utf-8", headers)
