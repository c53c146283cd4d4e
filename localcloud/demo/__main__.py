"""`python -m localcloud.demo`: the whole story, from a dropped file to a live endpoint. Called by `make demo`.

Ends with 0 only if what Upkeep recorded is the story that was planned; with 1 and what differs if not.
"""

import argparse
import json
import sys
from pathlib import Path

import requests

from localcloud.demo import ending, plan
from localcloud.demo.azure import Azure
from localcloud.demo.ground import CommandFailed, Ground
from localcloud.demo.story import Story
from localcloud.demo.voice import Voice
from localcloud.demo.watch import StoryBroke
from shared.operator import surroundings

FOLDER = Path(".local/demo")


def main() -> int:
    """Play it, and end everything that was started."""
    options = _parser().parse_args()
    voice, ground = Voice(), Ground(options.folder)
    voice.say(f"starting a fresh local cloud in {ground.folder}")
    try:
        ground.start()
        return _play(voice, ground, options)
    except (CommandFailed, StoryBroke, requests.RequestException) as trouble:
        voice.say(f"{trouble}", "red", "!")
        voice.say(f"the logs are in {ground.folder / 'logs'}", "", "!")
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if options.keep:
            voice.say(f"left running; python -m localcloud down --folder {options.folder} ends it")
        else:
            ground.stop()


def _play(voice: Voice, ground: Ground, options: argparse.Namespace) -> int:
    azure = Azure(ground.settings, ground.authority)
    story = Story(ground, azure, voice)
    voice.say(f"watch it in a browser, if you like: {surroundings.app(ground.settings).page}")
    try:
        story.play()
        command, status, answer = story.score_one()
    finally:
        story.users.end()
    history = azure.models(f"{plan.MODEL}/history?most=1000")["decisions"]
    voice.console.print()
    voice.console.print(ending.table(story))
    voice.console.print(f"\nA scored request:\n  {command}\n  {status} {answer}", soft_wrap=True)
    voice.console.print("\nWhere to look:", soft_wrap=True)
    for line in ending.where_to_look(str(options.folder), running=options.keep):
        voice.console.print(f"  {line}", soft_wrap=True)
    if options.record:
        options.record.write_text(json.dumps(history, indent=2))
    found = ending.problems(story, history)
    for problem in found:
        voice.say(problem, "red", "!")
    voice.console.print(f"\n{ending.answers(story.users.total)}")
    voice.console.print(f"Done in {voice.elapsed_s:.0f} s." if not found else "That is not the story of the plan.")
    return 1 if found else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localcloud.demo", description="Upkeep's story on real data.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"state of its local cloud (default {FOLDER})")
    parser.add_argument("--keep", action="store_true", help="leave the local cloud running at the end")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write the decisions there, as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
