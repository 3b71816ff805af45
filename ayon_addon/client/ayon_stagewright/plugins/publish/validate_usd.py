# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the USD files of any host's publish."""

import os

import pyblish.api
from ayon_core.pipeline import OptionalPyblishPluginMixin
from ayon_core.pipeline.publish import PublishValidationError
from ayon_stagewright.checking import NotCheckedError, blocking, check

LAYERS = {"usd", "usda", "usdc", "usdz"}


class ValidateUSD(pyblish.api.InstancePlugin, OptionalPyblishPluginMixin):
    """Check what was extracted: dependencies, composition, units, USD's own validators."""

    label = "Validate USD (Stagewright)"
    # What is to be checked exists only after the extraction.
    order = pyblish.api.ExtractorOrder + 0.48
    families = ["usd"]
    settings_category = "stagewright"
    optional = True
    active = True

    # Settings
    profile = "shot"
    allow = []
    python = ""

    def process(self, instance):
        """Check every USD file among the representations."""
        if not self.is_active(instance.data):
            return
        for path in usd_files(instance.data):
            try:
                report = check(path, self.profile, self.allow, self.python)
            except NotCheckedError as reason:
                self.log.warning(str(reason))
                continue
            self.log.info("%s: judged by USD %s", path, report["pxr_version"])
            for each in report["findings"]:
                tell = self.log.info if each["severity"] == "info" else self.log.warning
                tell("%s: %s %s", each["severity"], each["message"], each["cure"])
            stopping = blocking(report, self.allow)
            if stopping:
                lines = ["- {} {}".format(each["message"], each["cure"]) for each in stopping]
                raise PublishValidationError(
                    "{} is not as it should be:\n{}".format(
                        os.path.basename(path), "\n".join(lines)
                    )
                )


def usd_files(data):
    """Paths of the USD files among an instance's representations."""
    for each in data.get("representations", []):
        if each.get("ext", "").lower() in LAYERS:
            files = each["files"]
            for name in [files] if isinstance(files, str) else files:
                yield os.path.join(each.get("stagingDir") or data["stagingDir"], name)
