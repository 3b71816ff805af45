# SPDX-License-Identifier: GPL-3.0-or-later
"""The entities that a version belongs to: found, or made where they are missing.

They are in the database before a publish does anything else, so that the ids
it writes into files hold whoever else publishes meanwhile. A project, folder
or product without versions is nothing half-written; still a publish that comes
to nothing takes back what it made (:func:`withdraw`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from .database import AnyEntity, E, insert
from .entities import Folder, Product, Project, Task, derived_id
from .home import PublishRequest
from .names import check_same_case, folder_names, project_codes

if TYPE_CHECKING:
    from .library import Library


@dataclass(frozen=True)
class Plan:
    """What a version belongs to; ``made`` is what was not there before."""

    project: Project
    folder: Folder
    product: Product
    task: Task | None
    made: tuple[AnyEntity, ...]


def plan(library: Library, request: PublishRequest) -> Job[Plan]:
    """Find or make what the request's version belongs to, in one transaction.

    Raises:
        StagewrightError: ``name-differs-in-case``, ``product-type-differs``,
            ``name-taken`` for the project's code.
    """
    return (yield from library.transaction(_statements(library, request)))


def _statements(library: Library, request: PublishRequest) -> Job[Plan]:
    made: list[AnyEntity] = []
    project = yield from _project(library, request, made)
    folder = yield from _folder(library, request, made)
    task = yield from _task(library, request, folder, made)
    product = yield from _product(library, request, folder, made)
    return Plan(project, folder, product, task, tuple(made))


def _project(library: Library, request: PublishRequest, made: list[AnyEntity]) -> Job[Project]:
    name, code = request.project_name, request.project_code
    found = library.select(Project, "name = ? COLLATE NOCASE", name)
    if found:
        check_same_case("project", name, found[0].name)
        return found[0]
    if not code:
        codes = {each.code.lower() for each in library.get_projects()}
        code = next(code for code in project_codes(name) if code not in codes)
    taken = library.select(Project, "code = ? COLLATE NOCASE", code)
    if taken:
        raise StagewrightError(
            "name-taken",
            f'The project code "{code}" belongs to the project "{taken[0].name}".',
            f'Choose another code for the project "{name}".',
        )
    return (yield from _make(library, Project(name=name, code=code), made))


def _folder(library: Library, request: PublishRequest, made: list[AnyEntity]) -> Job[Folder]:
    parent: Folder | None = None
    path = ""
    for name in folder_names(request.folder_path):
        path += f"/{name}"
        found = library.select(
            Folder, "project_name = ? AND path = ? COLLATE NOCASE", request.project_name, path
        )
        if found:
            check_same_case("folder", path, found[0].path)
            parent = found[0]
            continue
        wanted = Folder(
            project_name=request.project_name,
            id=derived_id(request.project_name, "folder", path),
            name=name,
            path=path,
            folder_type=request.folder_type if path == request.folder_path else "Folder",
            parent_id=parent.id if parent else None,
        )
        parent = yield from _make(library, wanted, made)
    assert parent is not None
    return parent


def _task(
    library: Library, request: PublishRequest, folder: Folder, made: list[AnyEntity]
) -> Job[Task | None]:
    if request.task_name is None:
        return None
    found = library.select(
        Task, "folder_id = ? AND name = ? COLLATE NOCASE", folder.id, request.task_name
    )
    if found:
        check_same_case("task", request.task_name, found[0].name)
        return found[0]
    wanted = Task(
        project_name=request.project_name,
        id=derived_id(request.project_name, "task", f"{folder.path}/{request.task_name}"),
        name=request.task_name,
        task_type=request.task_type,
        folder_id=folder.id,
    )
    return (yield from _make(library, wanted, made))


def _product(
    library: Library, request: PublishRequest, folder: Folder, made: list[AnyEntity]
) -> Job[Product]:
    found = library.select(
        Product, "folder_id = ? AND name = ? COLLATE NOCASE", folder.id, request.product_name
    )
    if found:
        check_same_case("product", request.product_name, found[0].name)
        check_product_type(found[0], folder, request)
        return found[0]
    wanted = Product(
        project_name=request.project_name,
        id=derived_id(request.project_name, "product", f"{folder.path}/{request.product_name}"),
        name=request.product_name,
        folder_id=folder.id,
        product_type=request.product_type,
        product_base_type=request.product_type,
    )
    return (yield from _make(library, wanted, made))


def check_product_type(product: Product, folder: Folder, request: PublishRequest) -> None:
    """Refuse to publish a product under another type than it has.

    Raises:
        StagewrightError: ``product-type-differs``.
    """
    if product.product_type != request.product_type:
        raise StagewrightError(
            "product-type-differs",
            f'The product "{product.name}" of "{folder.path}" has the type '
            f'"{product.product_type}", not "{request.product_type}".',
            "Publish it under that type, or choose another product name.",
        )


def _make(library: Library, wanted: E, made: list[AnyEntity]) -> Job[E]:
    yield Progress("library.insert", message="Writing to the database")
    insert(library.connection, wanted)
    made.append(wanted)
    return wanted


# What is used by now stays. A task goes only with its folder's last product: a
# publish in progress may have found it, but has made its product by then.
_WITHDRAW: dict[type, str] = {
    Product: "DELETE FROM products WHERE id = ?1 AND NOT EXISTS "
    "(SELECT 1 FROM versions WHERE product_id = ?1)",
    Task: "DELETE FROM tasks WHERE id = ?1 AND NOT EXISTS "
    "(SELECT 1 FROM products WHERE folder_id = tasks.folder_id)",
    Folder: "DELETE FROM folders WHERE id = ?1 AND NOT EXISTS "
    "(SELECT 1 FROM folders AS child WHERE child.parent_id = ?1) AND NOT EXISTS "
    "(SELECT 1 FROM tasks WHERE folder_id = ?1) AND NOT EXISTS "
    "(SELECT 1 FROM products WHERE folder_id = ?1)",
    Project: "DELETE FROM projects WHERE name = ?1 AND NOT EXISTS "
    "(SELECT 1 FROM folders WHERE project_name = ?1)",
}


def withdraw(library: Library, plan: Plan) -> Job[None]:
    """Take back what the plan made and nobody has used since, in one transaction."""
    if plan.made:
        yield from library.transaction(_withdrawal(library, plan))


def _withdrawal(library: Library, plan: Plan) -> Job[None]:
    for entity in reversed(plan.made):
        yield Progress("library.delete", message="Writing to the database")
        key = entity.name if isinstance(entity, Project) else entity.id
        library.connection.execute(_WITHDRAW[type(entity)], (key,))
