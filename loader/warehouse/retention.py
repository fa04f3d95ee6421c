"""What raw tables keep: all but violations, of which old days go."""

from datetime import date, timedelta

from loader.config import Workspace
from loader.warehouse.manifest import LakeFile, Manifest


def expire_violations(workspace: Workspace, manifest: Manifest, today: date) -> list[LakeFile]:
    """Let go of violations that are older than `retention.violations_days`; what `manifest` lost.

    What was loaded within that time stays whatever its own day, so that what an old file brought
    can be looked at. The files themselves stay for whoever reads them.
    """
    days = min(workspace.config.retention.violations_days, today.toordinal() - 1)
    first_day = (today - timedelta(days=days)).isoformat()
    loaded_since = [
        file.load_id
        for file in manifest.files
        if file.table_name == "loads" and file.date >= first_day
    ]
    first_load_id = min(loaded_since, default=manifest.next_load_id)
    expired = {
        file
        for file in manifest.files
        if file.table_name == "violations"
        and file.date < first_day
        and file.load_id < first_load_id
    }
    if expired:
        manifest.files = [file for file in manifest.files if file not in expired]
    return sorted(expired, key=lambda file: file.file)
