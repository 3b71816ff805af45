# SPDX-License-Identifier: GPL-3.0-or-later
"""Export a Blender scene as a structured USD asset, textures included, and compare it."""

import os

import pyblish.api
from ayon_core.pipeline import OptionalPyblishPluginMixin
from ayon_core.pipeline.publish import PublishValidationError
from ayon_stagewright.checking import blocking


class ExtractUSDAsset(pyblish.api.InstancePlugin, OptionalPyblishPluginMixin):
    """Put Stagewright's asset in the place of what Blender's exporter wrote.

    A Blender of its own writes it from a copy of the open file, and compares it with
    the scene; the artist's file is left as it is.
    """

    label = "Extract USD Asset (Stagewright)"
    order = pyblish.api.ExtractorOrder + 0.1
    hosts = ["blender"]
    families = ["usd"]
    settings_category = "stagewright"
    optional = True
    active = True

    # Settings
    allow = []
    bake = 0

    def process(self, instance):
        """Export the instance's collection into its staging folder."""
        if not self.is_active(instance.data):
            return
        from stagewright.addon.worker import run_on_copy
        from stagewright.jobs.drive import drain

        data = instance.data
        folder = os.path.join(data["stagingDir"], "stagewright")
        root = os.path.join(folder, "{}.usda".format(instance.name))
        words = ["-o", root, "--overwrite", "--name={}".format(folder_name(data))]
        words += ["--collection={}".format(collection_name(instance))]
        words += ["--bake={}".format(self.bake)] if self.bake else []
        words += ["--allow={}".format(name) for name in self.allow]
        os.makedirs(folder, exist_ok=True)
        value = drain(run_on_copy("usd export", *words), self.hear)
        report = value["checks"]
        for each in report["findings"]:
            self.log.info("%s: %s %s", each["severity"], each["message"], each["cure"])
        stopping = blocking(report, self.allow)
        if stopping:
            lines = ["- {} {}".format(each["message"], each["cure"]) for each in stopping]
            raise PublishValidationError("\n".join(["The asset is not the scene:"] + lines))
        integrate(data, value["path"], value["files"])

    def hear(self, event):
        """Log what the export is at."""
        message = getattr(event, "message", "") or getattr(event, "text", "")
        if message:
            self.log.debug(message)


def folder_name(data):
    """Name of the AYON folder, which is the asset's."""
    return data["folderPath"].rsplit("/", 1)[-1]


def collection_name(instance):
    """Name of the instance's collection; an instance of another kind is refused."""
    node = instance.data.get("transientData", {}).get("instance_node")
    if node is None or node.bl_rna.identifier != "Collection":
        raise PublishValidationError(
            "{} is no collection, so Stagewright cannot export it. Make the instance of a "
            "collection, or switch the plugin off for it.".format(instance.name)
        )
    return node.name


def integrate(data, root, files):
    """Let AYON's integrator publish the root as ``usd``, and all that it names beside it."""
    folder = os.path.dirname(root)
    kept = [each for each in data.get("representations", []) if each["name"] != "usd"]
    ext = os.path.splitext(root)[1][1:]
    made = {"name": "usd", "ext": ext, "files": os.path.basename(root), "stagingDir": folder}
    data["representations"] = kept + [made]
    transfers = data.setdefault("transfers", [])
    for each in files:
        if each != root:
            # Beside the root, whatever the integrator calls that: its paths are relative.
            inside = os.path.relpath(each, folder)
            transfers.append((each, os.path.join(data["publishDir"], inside)))
