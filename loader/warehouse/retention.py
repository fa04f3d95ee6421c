"""What raw tables keep: all but violations, of which old days go."""

from datetime import datetime, timedelta

from loader.config import Workspace
from loader.warehouse.manifest import LakeFile, Manifest, RetiredFile


def expire_violations(workspace: Workspace, manifest: Manifest, now: datetime) -> list[LakeFile]:
    """Let go of violations that are older than `retention.violations_days`; what `manifest` lost.

    What was loaded within that time stays whatever its own day, so that what an old file brought
    can be looked at. The files are retired, so they stay for a while for whoever reads them.
    """
    today = now.date()
    days = min(workspace.config.retention.violations_days, today.toordinal() - 1)
    first_day = (today - timedelta(days=days)).isoformat()
    # The last load before that time: of a day's loads one file may tell, under the last one's id.
    loads = [file for file in manifest.files if file.table_name == "loads"]
    last_load_id = max((file.load_id for file in loads if file.date < first_day), default=0)
    expired = {
        file
        for file in manifest.files
        if file.table_name == "violations"
        and file.date < first_day
        and file.load_id <= last_load_id
    }
    if expired:
        manifest.files = [file for file in manifest.files if file not in expired]
        manifest.retired += [RetiredFile(file.file, now.timestamp()) for file in expired]
    return sorted(expired, key=lambda file: file.file)
