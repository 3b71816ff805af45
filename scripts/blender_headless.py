# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender-headless``: Blender's own command line on the ``bpy`` module.

The arguments mean what they mean to ``blender -b`` and are handled in the order
they stand in. ``BLENDER_EXECUTABLE`` selects a real Blender instead, which is
started with the same arguments. What needs a window is not here.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, NoReturn

from ..jobs.errors import cancelled
from ..jobs.events import failure_of, to_json
from ..pipeline.console import JSON_FD, claim_stdout

USAGE = """\
Usage: blender-headless [ARGUMENT ...] [FILE] [ARGUMENT ...]

Blender's command line without a window. Arguments are handled in order.
  FILE                      open a .blend file (exit code 1 if it cannot be read)
  -P, --python FILE         run a Python script
  --python-expr CODE        run an expression
  --python-text NAME        run a text of the open file
  --python-exit-code N      exit code when one of the three raises (0: go on)
  --addons A,B              enable add-ons
  --factory-startup         do not read the user's preferences
  -y, -Y                    allow, forbid Python scripts inside .blend files
  --online-mode, --offline-mode
  -S, --scene NAME          make NAME the current scene
  -o PATH, -F FORMAT, -E ENGINE, -s FRAME, -e FRAME, -t THREADS
  -f FRAMES                 render frames: 3  1,4  1..5
  -a                        render the animation
  -c, --command NAME ...    run a command; it takes all the arguments that follow
  -v, --version   -h, --help
  --                        leave the rest to the scripts
Set BLENDER_EXECUTABLE to use a real Blender instead."""


class CommandLineEnd(Exception):  # noqa: N818 (no error)
    """The command line has come to its end.

    Args:
        code: the exit code of the process.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


Command = Callable[[list[str]], int]


class CommandLine:
    """Handles arguments one by one, as Blender's ``main`` does.

    Args:
        arguments: the command line without the program's name.
    """

    def __init__(self, arguments: list[str]) -> None:
        import bpy

        self.bpy = bpy
        self.rest = list(arguments)
        self.exit_code_on_error = 0
        self.commands: dict[str, Command] = {}

    def run(self) -> int:
        """Handle everything; returns the exit code."""
        try:
            self._before()
            while self.rest:
                argument = self.rest.pop(0)
                if argument == "--":
                    break
                self._handle(argument)
        except CommandLineEnd as end:
            return end.code
        return 0

    def _before(self) -> None:
        # Blender reads these wherever they stand, before it handles the others.
        own = self.rest[: self.rest.index("--")] if "--" in self.rest else self.rest
        for position, argument in enumerate(own):
            if argument in ("-c", "--command"):
                own = own[:position]
                break
        if {"-h", "--help"} & set(own):
            print(USAGE)
            raise CommandLineEnd(0)
        if {"-v", "--version"} & set(own):
            print(f"Blender {self.bpy.app.version_string}")
            raise CommandLineEnd(0)
        self._record_commands()
        if "--factory-startup" not in own:
            self._read_preferences()
        preferences = self.bpy.context.preferences
        for argument in own:
            if argument in ("--online-mode", "--offline-mode"):
                preferences.system.use_online_access = argument == "--online-mode"
            elif argument in ("-y", "--enable-autoexec", "-Y", "--disable-autoexec"):
                preferences.filepaths.use_scripts_auto_execute = argument in (
                    "-y",
                    "--enable-autoexec",
                )

    def _record_commands(self) -> None:
        # bpy can register a command but not run one: remember who registers what.
        register = self.bpy.utils.register_cli_command

        def remember(id: str, execute: Command) -> object:
            self.commands[id] = execute
            return register(id, execute)

        self.bpy.utils.register_cli_command = remember

    def _read_preferences(self) -> None:
        # The module always starts with factory settings.
        folder = self.bpy.utils.user_resource("CONFIG")
        if folder and Path(folder, "userpref.blend").is_file():
            self.bpy.ops.wm.read_userpref()

    def _handle(self, argument: str) -> None:
        if argument in FLAGS:
            return
        if argument in IGNORED_WITH_VALUE:
            self._value(argument)
        elif argument in ("-c", "--command"):
            raise CommandLineEnd(self._command(self._value(argument)))
        elif argument in ACTIONS:
            ACTIONS[argument](self)
        elif argument in WITH_VALUE:
            WITH_VALUE[argument](self, self._value(argument))
        else:
            self._open(argument)

    def _value(self, argument: str) -> str:
        if not self.rest:
            print(f"Error: '{argument}' needs a value.", file=sys.stderr)
            raise CommandLineEnd(1)
        return self.rest.pop(0)

    def _open(self, name: str) -> None:
        if name.startswith("-"):
            print(f"unknown argument, loading as file: {name}", file=sys.stderr)
        path = os.path.abspath(name)
        try:
            self.bpy.ops.wm.open_mainfile(filepath=path, load_ui=False)
        except RuntimeError:
            raise CommandLineEnd(1) from None  # Blender has printed why

    def _command(self, name: str) -> int:
        arguments, self.rest = self.rest, []
        command = self._find_command(name)
        if command is None:
            print(f'Unrecognized command: "{name}"', file=sys.stderr)
            return 1
        try:
            return int(command(arguments) or 0)
        except SystemExit as end:
            return exit_code(end)
        except Exception:
            traceback.print_exc()
            return 1

    def _find_command(self, name: str) -> Command | None:
        if name == "extension":
            # Registered while bpy was imported, before it could be recorded.
            import bl_pkg

            extension: Command = bl_pkg.cli_extension
            return extension
        if name == PACKAGE and name not in self.commands:
            self._enable(PACKAGE, keep=True)
        return self.commands.get(name)

    def _enable(self, name: str, *, keep: bool = False) -> None:
        import addon_utils

        module = sys.modules.get(name)
        if module is not None and module.__file__ is not None:
            # Imported before Blender looked: else it is loaded a second time.
            module.__dict__.setdefault("__time__", os.path.getmtime(module.__file__))
        # With default_set the add-on gets its preferences, which are not saved.
        addon_utils.enable(name, default_set=keep)

    def _run_code(self, source: str | bytes, name: str, file: str | None) -> None:
        main = ModuleType("__main__")
        main.__dict__["__builtins__"] = __builtins__
        if file is not None:
            main.__file__ = file
        before = sys.modules.get("__main__")
        sys.modules["__main__"] = main
        try:
            exec(compile(source, name, "exec"), main.__dict__)
        except SystemExit as end:
            raise CommandLineEnd(exit_code(end)) from None
        except BaseException as error:
            # The frame of this function is no part of the script.
            traceback.print_exception(error.with_traceback(_own_frames(error)))
            if self.exit_code_on_error:
                print(f"Error: script failed, {name!r}, exiting.", file=sys.stderr)
                raise CommandLineEnd(self.exit_code_on_error) from None
        finally:
            if before is not None:
                sys.modules["__main__"] = before

    def run_file(self, name: str) -> None:
        """``--python``: the script sees itself as ``__main__`` with its absolute path."""
        path = os.path.abspath(name)
        try:
            source = Path(path).read_bytes()
        except OSError as error:
            print(f"Error: Python script '{path}': {error.strerror}.", file=sys.stderr)
            if self.exit_code_on_error:
                raise CommandLineEnd(self.exit_code_on_error) from None
            return
        self._run_code(source, path, path)

    def run_expression(self, source: str) -> None:
        """``--python-expr``."""
        self._run_code(source, "<blender expr>", None)

    def run_text(self, name: str) -> None:
        """``--python-text``: a text data-block of the open file."""
        text = self.bpy.data.texts.get(name)
        if text is None:
            print(f"Error: text block not found '{name}'.", file=sys.stderr)
            if self.exit_code_on_error:
                raise CommandLineEnd(self.exit_code_on_error)
            return
        self._run_code(text.as_string(), name, None)

    def set_exit_code(self, value: str) -> None:
        """``--python-exit-code``: holds for the scripts that follow."""
        self.exit_code_on_error = int(value)

    def enable_addons(self, names: str) -> None:
        """``--addons``: comma-separated module names."""
        for name in names.split(","):
            self._enable(name)

    def set_scene(self, name: str) -> None:
        """``-S``: the current scene by its name."""
        scene = self.bpy.data.scenes.get(name)
        if scene is None:
            print(f"Error: scene '{name}' not found.", file=sys.stderr)
            raise CommandLineEnd(1)
        self.bpy.context.window.scene = scene

    def set_render(self, attribute: str, value: Any) -> None:
        """Set one property of the scene's render settings."""
        setattr(self.bpy.context.scene.render, attribute, value)

    def set_format(self, name: str) -> None:
        """``-F``: file format of rendered frames."""
        self.bpy.context.scene.render.image_settings.file_format = name

    def set_threads(self, value: str) -> None:
        """``-t``: number of render threads; 0 takes all."""
        threads = int(value)
        self.set_render("threads_mode", "FIXED" if threads else "AUTO")
        if threads:
            self.set_render("threads", threads)

    def set_frame(self, attribute: str, value: str) -> None:
        """``-s`` and ``-e``: first and last frame."""
        setattr(self.bpy.context.scene, attribute, int(value))

    def render_frames(self, frames: str) -> None:
        """``-f``: frames and ranges, written with their numbers in the name."""
        scene = self.bpy.context.scene
        kept = scene.frame_start, scene.frame_end
        for part in frames.split(","):
            first, _, last = part.partition("..")
            # Growing or shrinking one end past the other moves both.
            scene.frame_end = int(last or first)
            scene.frame_start = int(first)
            self.render_animation()
        scene.frame_start, scene.frame_end = kept

    def render_animation(self) -> None:
        """``-a``: the frame range of the scene."""
        self.bpy.ops.render.render(animation=True)


PACKAGE = __package__.partition(".")[0] if __package__ else ""
FLAGS = {
    "-b",
    "--background",
    "--factory-startup",
    "--online-mode",
    "--offline-mode",
    "-y",
    "--enable-autoexec",
    "-Y",
    "--disable-autoexec",
    "-noaudio",
    "-q",
    "--quiet",
    "-d",
    "--debug",
    "--debug-python",
    "--python-use-system-env",
    "--no-window-focus",
}
IGNORED_WITH_VALUE = {"-setaudio", "--log", "--log-level", "--log-file", "--gpu-backend"}
ACTIONS: Mapping[str, Callable[[CommandLine], None]] = {
    "-a": CommandLine.render_animation,
    "--render-anim": CommandLine.render_animation,
}
WITH_VALUE: Mapping[str, Callable[[CommandLine, str], None]] = {
    "-P": CommandLine.run_file,
    "--python": CommandLine.run_file,
    "--python-expr": CommandLine.run_expression,
    "--python-text": CommandLine.run_text,
    "--python-exit-code": CommandLine.set_exit_code,
    "--addons": CommandLine.enable_addons,
    "-S": CommandLine.set_scene,
    "--scene": CommandLine.set_scene,
    "-o": lambda line, value: line.set_render("filepath", os.path.abspath(value)),
    "--render-output": lambda line, value: line.set_render("filepath", os.path.abspath(value)),
    "-F": CommandLine.set_format,
    "--render-format": CommandLine.set_format,
    "-E": lambda line, value: line.set_render("engine", value),
    "--engine": lambda line, value: line.set_render("engine", value),
    "-t": CommandLine.set_threads,
    "--threads": CommandLine.set_threads,
    "-s": lambda line, value: line.set_frame("frame_start", value),
    "--frame-start": lambda line, value: line.set_frame("frame_start", value),
    "-e": lambda line, value: line.set_frame("frame_end", value),
    "--frame-end": lambda line, value: line.set_frame("frame_end", value),
    "-f": CommandLine.render_frames,
    "--render-frame": CommandLine.render_frames,
}


def _own_frames(error: BaseException) -> TracebackType | None:
    return error.__traceback__.tb_next if error.__traceback__ else None


def exit_code(end: SystemExit) -> int:
    """The code that Python would leave with; a text is printed and means 1."""
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code
    print(end.code, file=sys.stderr)
    return 1


def real_blender(launcher: str) -> str | None:
    """The program that BLENDER_EXECUTABLE names, unless it is this launcher."""
    name = os.environ.get("BLENDER_EXECUTABLE", "")
    if not name:
        return None
    program = shutil.which(name)
    if program is None:
        sys.exit(f"BLENDER_EXECUTABLE names no program: {name}. Correct or unset it.")
    own = os.path.exists(launcher) and os.path.samefile(program, launcher)
    return None if own else program


def keep_stdout_for_json(arguments: list[str]) -> None:
    """Leave standard output to the JSON lines of ``--command stagewright … --json``.

    Must run before ``import bpy``, which prints.
    """
    words = iter(arguments)
    command = next((next(words, "") for word in words if word in ("-c", "--command")), "")
    if command == PACKAGE and "--json" in words:
        os.environ[JSON_FD] = str(claim_stdout())


def end_when_cancelled() -> None:
    """Let a request to stop end this process, with a word on it where JSON is read.

    For the time until a command runs, when there is nothing to wind up: an
    exception would be lost in what Blender runs while it starts.
    """

    def end(number: int, frame: object) -> NoReturn:
        if JSON_FD in os.environ:
            line = to_json(failure_of(cancelled())) + "\n"
            os.write(int(os.environ[JSON_FD]), line.encode())
        app = getattr(sys.modules.get("bpy") or sys.modules.get("_bpy"), "app", None)
        if app is not None:
            shutil.rmtree(app.tempdir, ignore_errors=True)
        os._exit(130)

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, end)


def main() -> NoReturn:
    """Console script ``blender-headless``."""
    folder, name = os.path.split(sys.argv[0])
    # Windows leaves out the ending .exe.
    launcher = shutil.which(name, path=folder or None) or sys.argv[0]
    arguments = sys.argv[1:]
    program = real_blender(launcher)
    if program is not None and os.name == "posix":
        os.execv(program, [program, *arguments])
    elif program is not None:  # where exec returns to the caller at once
        sys.exit(subprocess.call([program, *arguments]))
    keep_stdout_for_json(arguments)
    end_when_cancelled()
    sys.argv[0] = os.path.abspath(launcher)

    import bpy

    bpy.utils.expose_bundled_modules()
    bpy.app.binary_path = sys.argv[0]
    code = CommandLine(arguments).run()
    sys.stdout.flush()
    sys.stderr.flush()
    if bpy.app.version < (5, 0, 0):
        # 4.5 hangs or crashes while its classes and timers are torn down late.
        shutil.rmtree(bpy.app.tempdir, ignore_errors=True)
        os._exit(code)
    sys.exit(code)
