# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""What the checks found: kept until another file is opened, shown as a list."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import bpy
from bpy.app.handlers import persistent
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ...jobs.errors import StagewrightError
from ...jobs.events import Job
from ...pipeline.summaries import checks_line
from ...usd_tools.findings import CheckReport, Finding
from ..drawing import SidebarPanel, draw_text

LIMIT = 500
"""Findings listed in the sidebar; the report holds all."""

_ICONS = {"error": "CANCEL", "loss": "ERROR", "warning": "QUESTION", "info": "INFO"}


class STAGEWRIGHT_PG_finding(bpy.types.PropertyGroup):
    """One finding; fields as in ``usd_tools.findings.Finding``."""

    # The list's own text filter looks at "name".
    name: StringProperty(name="Message")
    check: StringProperty(name="Check")
    severity: StringProperty(name="Severity")
    cure: StringProperty(name="Cure")
    object: StringProperty(name="Object")
    prim: StringProperty(name="Prim")
    fix: StringProperty(name="Fix")


class STAGEWRIGHT_PG_checks(bpy.types.PropertyGroup):
    """The findings about the asset that was exported or published last."""

    subject: StringProperty(name="Asset")
    summary: StringProperty(name="Summary")
    worst: StringProperty(name="Worst Severity")
    hidden: IntProperty(name="Findings Not Listed")
    done: BoolProperty(name="Checked")
    findings: CollectionProperty(type=STAGEWRIGHT_PG_finding)
    active: IntProperty(name="Finding", description="Finding shown in full below the list")
    severities: EnumProperty(
        name="Severities",
        description="Findings to list",
        items=(
            ("error", "Errors", "What stops a publish", _ICONS["error"], 1),
            ("loss", "Losses", "What the file does not hold", _ICONS["loss"], 2),
            ("warning", "Warnings", "What may go wrong later", _ICONS["warning"], 4),
            ("info", "Information", "What is good to know", _ICONS["info"], 8),
        ),
        options={"ENUM_FLAG"},
        default={"error", "loss", "warning"},
    )

    def show(self, report: CheckReport, subject: str) -> None:
        """Take over the findings of ``report`` about the asset ``subject``."""
        self.list(report.findings, subject, checks_line(report))

    def list(self, found: Sequence[Finding], subject: str, summary: str) -> None:
        """List ``found`` about ``subject``, with ``summary`` above."""
        self.clear()
        self.subject = subject
        self.summary = summary
        self.done = True
        self.hidden = max(0, len(found) - LIMIT)
        present = {finding.severity for finding in found}
        self.worst = next((kind for kind in _ICONS if kind in present), "")
        for finding in found[:LIMIT]:
            item = self.findings.add()
            item.name = finding.message
            item.check = finding.check
            item.severity = finding.severity
            item.cure = finding.cure
            item.object = finding.object
            item.prim = finding.prim
            item.fix = shlex.join(finding.fix)

    def clear(self) -> None:
        """Forget the findings."""
        self.findings.clear()
        self.subject = self.summary = self.worst = ""
        self.active = self.hidden = 0
        self.done = False


def showing_checks(job: Job[Mapping[str, Any]], subject: str) -> Job[Mapping[str, Any]]:
    """``job``, with the checks of its result, or of its failure, shown in the sidebar."""
    try:
        value = yield from job
    except StagewrightError as error:
        _show(error.details, subject)
        if "checks" not in error.details or bpy.app.background:
            raise
        cure = "The Checks panel lists each error with its cure, and can let it pass."
        raise StagewrightError(error.code, error.message, cure, error.details) from error
    _show(value, subject)
    return value


def _show(value: Mapping[str, Any], subject: str) -> None:
    if value.get("checks"):
        report = CheckReport.from_json(value["checks"])
        bpy.context.window_manager.stagewright.show(report, subject)


def words_for(checks: Mapping[str, Any]) -> str:
    """How much the checks found, in a few words."""
    return checks_line(CheckReport.from_json(checks)).partition(";")[0]


class STAGEWRIGHT_OT_select_object(bpy.types.Operator):
    """Select the object that the finding is about, and bring it into view"""

    bl_idname = "stagewright.select_object"
    bl_label = "Select Object"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(name="Object", description="Name of the object to select")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether objects can be selected at all."""
        if context.view_layer is None:
            cls.poll_message_set("There is no view layer to select in")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Select it alone and make it active."""
        item = bpy.data.objects.get(self.name)
        if item is None:
            return self._refuse(f"“{self.name}” was deleted or renamed since the check")
        if item.name not in context.view_layer.objects:
            return self._refuse(
                f"“{self.name}” is not in the view layer “{context.view_layer.name}”: "
                "include its collection, or switch to the scene that holds it"
            )
        active = context.view_layer.objects.active
        if active is not None and active.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        item.hide_set(False)
        for other in context.view_layer.objects:
            other.select_set(other == item)
        context.view_layer.objects.active = item
        if not item.visible_get():
            self.report({"WARNING"}, f"“{item.name}” is selected, but hidden in the viewport")
        elif context.area is not None and context.area.type == "VIEW_3D":
            self._frame(context)
        return {"FINISHED"}

    def _refuse(self, message: str) -> set[str]:
        self.report({"WARNING"}, message)
        return {"CANCELLED"}

    def _frame(self, context: bpy.types.Context) -> None:
        """Bring the selection into view; the sidebar is a region beside the view's own."""
        region = next(r for r in context.area.regions if r.type == "WINDOW")
        with context.temp_override(region=region):
            if bpy.ops.view3d.view_selected.poll():
                bpy.ops.view3d.view_selected()


class STAGEWRIGHT_OT_allow_check(bpy.types.Operator):
    """Let errors of this check pass, or stop letting them pass; the publish records it"""

    bl_idname = "stagewright.allow_check"
    bl_label = "Allow Check"
    bl_options = {"REGISTER", "UNDO"}

    check: StringProperty(name="Check", description="Name of the check")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a scene to keep the setting."""
        if context.scene is None:
            cls.poll_message_set("There is no scene to keep the setting")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Change the scene's list of allowed checks."""
        settings = context.scene.stagewright
        names = settings.allowed()
        if self.check in names:
            names.remove(self.check)
        else:
            names.append(self.check)
        settings.allow = ", ".join(names)
        return {"FINISHED"}


class STAGEWRIGHT_UL_findings(bpy.types.UIList):
    """The findings, those of the chosen severities."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: STAGEWRIGHT_PG_checks,
        item: STAGEWRIGHT_PG_finding,
        icon: int,
        active_data: STAGEWRIGHT_PG_checks,
        active_property: str,
    ) -> None:
        """Draw one finding in a row."""
        row = layout.row(align=True)
        row.label(text=item.name, icon=_ICONS[item.severity], translate=False)
        if item.object:
            button = row.operator(
                "stagewright.select_object", text="", icon="RESTRICT_SELECT_OFF", emboss=False
            )
            button.name = item.object

    def filter_items(
        self, context: bpy.types.Context, data: STAGEWRIGHT_PG_checks, property: str
    ) -> tuple[list[int], list[int]]:
        """Show what has a chosen severity and holds the text searched for."""
        findings = data.findings
        shown = data.severities
        flags = [self.bitflag_filter_item] * len(findings)
        if self.filter_name:
            flags = bpy.types.UI_UL_list.filter_items_by_name(
                self.filter_name, self.bitflag_filter_item, findings, "name"
            )
        kept = [
            flag if item.severity in shown else 0
            for flag, item in zip(flags, findings, strict=True)
        ]
        return kept, []


def draw_findings(
    layout: bpy.types.UILayout, context: bpy.types.Context, checks: STAGEWRIGHT_PG_checks
) -> None:
    """Draw the counts and the list."""
    draw_text(layout, context, f"{checks.subject}: {checks.summary}")
    if not checks.findings:
        return
    layout.row(align=True).prop(checks, "severities", expand=True, icon_only=True)
    layout.template_list(
        "STAGEWRIGHT_UL_findings", "", checks, "findings", checks, "active", rows=5
    )
    if checks.hidden:
        draw_text(layout, context, f"… {checks.hidden} more in the report")


def draw_finding(
    layout: bpy.types.UILayout, context: bpy.types.Context, finding: STAGEWRIGHT_PG_finding
) -> None:
    """Draw the chosen finding in full."""
    draw_text(layout, context, finding.name, _ICONS[finding.severity], inset=20)
    if finding.cure:
        draw_text(layout, context, finding.cure, "BLANK1", inset=20)


class STAGEWRIGHT_PT_checks(SidebarPanel, bpy.types.Panel):
    """What the checks found in the asset exported or published last"""

    bl_label = "Checks"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 2

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """Tell the worst severity while the panel is closed."""
        checks = context.window_manager.stagewright
        if checks.done:
            self.layout.label(icon=_ICONS.get(checks.worst, "CHECKMARK"))

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the counts, the list, and the chosen finding in full."""
        layout = self.layout
        checks = context.window_manager.stagewright
        if not checks.done:
            draw_text(layout, context, "Export or publish to see what the checks find", "INFO")
            return
        draw_findings(layout, context, checks)
        if checks.active < len(checks.findings):
            self._draw_finding(context, checks.findings[checks.active])

    def _draw_finding(self, context: bpy.types.Context, finding: STAGEWRIGHT_PG_finding) -> None:
        box = self.layout.box()
        draw_finding(box, context, finding)
        if finding.object:
            button = box.operator(
                "stagewright.select_object",
                text=f"Select “{finding.object}”",
                icon="RESTRICT_SELECT_OFF",
            )
            button.name = finding.object
        if finding.severity == "error":
            allowed = finding.check in context.scene.stagewright.allowed()
            button = box.operator(
                "stagewright.allow_check",
                text=f"Allow “{finding.check}”",
                icon="CHECKBOX_HLT" if allowed else "CHECKBOX_DEHLT",
                depress=allowed,
            )
            button.check = finding.check


@persistent  # type: ignore[untyped-decorator]
def _forget(path: str) -> None:
    """Findings are about the file that was open before."""
    bpy.context.window_manager.stagewright.clear()


_CLASSES = (
    STAGEWRIGHT_PG_finding,
    STAGEWRIGHT_PG_checks,
    STAGEWRIGHT_OT_select_object,
    STAGEWRIGHT_OT_allow_check,
    STAGEWRIGHT_UL_findings,
    STAGEWRIGHT_PT_checks,
)


def register() -> None:
    """Add the findings, their list and its operators."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.stagewright = PointerProperty(type=STAGEWRIGHT_PG_checks)
    bpy.app.handlers.load_post.append(_forget)


def unregister() -> None:
    """Take them away."""
    bpy.app.handlers.load_post.remove(_forget)
    del bpy.types.WindowManager.stagewright
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
