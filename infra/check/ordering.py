"""Whether everything that is looked up as `existing` is made before it is needed.

Called by deployed.py. A name that is computed twice orders nothing: between modules only an output or `dependsOn`
does. Without it the first deployment fails or not by chance, and every later one works.
"""

from collections.abc import Iterator, Mapping

from infra.check.problems import Problem
from infra.check.values import Deployment, Made


def check(deployment: Deployment) -> Iterator[Problem]:
    """Each resource that needs another one, made elsewhere in the same deployment, and is not ordered behind it."""
    made = {each.id.lower(): each for each in deployment.resources if not each.existing}
    for looked_up in deployment.resources:
        target = made.get(looked_up.id.lower())
        if looked_up.existing and target:
            users = _users(deployment, looked_up)
            early = [user for user in users if not _behind(deployment, looked_up.frame, user, target)]
            if early:
                where = f"{target.path.name}:{target.line}"
                what = f"'{looked_up.symbol}' is made at {where}, and {', '.join(early)} may come before it"
                yield Problem(looked_up.path, looked_up.line, "order", f"{what}; add dependsOn or use an output")


def _users(deployment: Deployment, looked_up: Made) -> list[str]:
    """What is made in the same file and names the existing resource, directly or through variables."""
    needs = deployment.needs.get(looked_up.frame, {})
    own = {each.symbol for each in deployment.resources if each.frame == looked_up.frame and not each.existing}
    modules = {path[len(looked_up.frame)] for path in deployment.needs if _inside(path, looked_up.frame)}
    return sorted(each for each in own | modules if looked_up.symbol in _reach(needs, each))


def _behind(deployment: Deployment, frame: tuple[str, ...], user: str, target: Made) -> bool:
    """Whether, where the paths to both part, the user's branch needs the target's."""
    ours, theirs = (*frame, user), (*target.frame, target.symbol)
    shared = next(at for at, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other)
    return theirs[shared] in _reach(deployment.needs.get(ours[:shared], {}), ours[shared])


def _reach(needs: Mapping[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for each in needs.get(waiting.pop(), ()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found


def _inside(path: tuple[str, ...], frame: tuple[str, ...]) -> bool:
    return len(path) > len(frame) and path[: len(frame)] == frame
