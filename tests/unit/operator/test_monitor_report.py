"""A report shows verdicts, numbers and bars, where a pipeline looks for it, and no word of it is a command."""

import xml.etree.ElementTree as Xml
from pathlib import Path

import msgspec
import pytest

from shared.domain.health import Aspect, Check, Verdict
from shared.errors import BadInput
from shared.operator.monitor_junit import junit
from shared.operator.monitor_pipelines import deliver, harmless, report_file, writable
from shared.operator.monitor_report import escaped, markdown, sparkline
from shared.operator.monitoring import Health
from tests.unit.operator.monitor_world import World

SLY = Check(aspect=Aspect.RELEASE, verdict=Verdict.FAIL, text="a | <b>\n##vso[task.complete]\x00")


@pytest.fixture(scope="module")
def good() -> Health:
    return World().check()


@pytest.fixture(scope="module")
def broken() -> Health:
    return World(traffic={"r0001": 90, "r0002": 10}, ok=lambda second: second % 9 > 1).check()


def with_check(health: Health, check: Check) -> Health:
    return msgspec.structs.replace(health, checks=(*health.checks, check))


class TestMarkdown:
    def test_it_begins_with_the_verdict(self, good: Health) -> None:
        assert markdown([good]).splitlines()[0] == "## ✅ Upkeep check: pass"

    def test_one_endpoint_that_fails_fails_the_whole(self, good: Health, broken: Health) -> None:
        assert markdown([good, broken]).splitlines()[0] == "## ❌ Upkeep check: FAIL"

    def test_each_deployment_has_its_numbers(self, good: Health) -> None:
        row = "| **r0002** (100 %) | 1198 | 119.8 | 0 | 0.00 % | 40 ms | 40 ms | 40 ms |"
        assert row in markdown([good]).splitlines()

    def test_the_window_before_has_its_numbers(self, good: Health) -> None:
        row = "| before, all deployments | 3600 | 60.0 | 0 | 0.00 % | 40 ms | 40 ms | 40 ms |"
        assert row in markdown([good]).splitlines()

    def test_the_deployment_that_fails_is_named(self, broken: Health) -> None:
        assert "| r0002 error rate | ❌ FAIL |" in markdown([broken])

    def test_every_row_of_a_table_has_as_many_cells_as_its_head(self, broken: Health) -> None:
        rows = [line for line in markdown([with_check(broken, SLY)]).splitlines() if line.startswith("|")]
        assert {line.replace(r"\|", "").count("|") for line in rows} == {4, 9}

    def test_the_bars_show_both_windows(self, good: Health) -> None:
        assert good.slices is not None
        line = next(line for line in markdown([good]).splitlines() if line.startswith("requests"))
        before, now = line.removeprefix("requests ").split("  at most")[0].split(" │ ")
        assert (len(before), len(now)) == (len(good.slices.before), len(good.slices.now))
        assert max(before) < max(now) == "█"

    def test_html_and_pipes_are_escaped(self) -> None:
        assert escaped("a | <b>\nc") == r"a \| \<b\> c"


class TestBars:
    def test_the_highest_value_has_the_highest_bar(self) -> None:
        assert sparkline([0.0, 5.0, 10.0], 10.0) == "▁▅█"

    def test_a_gap_stays_a_gap(self) -> None:
        assert sparkline([1.0, None, 1.0], 1.0) == "█ █"

    def test_nothing_but_noughts_is_flat(self) -> None:
        assert sparkline([0.0, 0.0], 0.0) == "▁▁"


class TestJUnit:
    def test_a_failure_is_a_failed_test_with_its_sentence(self, broken: Health) -> None:
        cases = Xml.fromstring(junit([broken])).findall("testsuite/testcase")
        failed = {case.get("name"): case.find("failure") for case in cases if case.find("failure") is not None}
        assert "r0002 error rate" in failed
        assert "requests failed" in str(failed["r0002 error rate"].get("message"))

    def test_no_data_is_a_skipped_test(self) -> None:
        suite = Xml.fromstring(junit([World(per_s=0).check()])).find("testsuite")
        assert suite is not None
        assert (suite.get("failures"), suite.get("skipped")) == ("0", "4")

    def test_what_xml_cannot_hold_is_left_out(self, good: Health) -> None:
        message = Xml.fromstring(junit([with_check(good, SLY)])).find("testsuite/testcase/failure")
        assert message is not None
        assert str(message.get("message")).endswith("[task.complete]?")


class TestWhereItGoes:
    def test_a_folder_gets_a_file_of_our_name(self) -> None:
        assert report_file(Path("out")) == Path("out/upkeep-check.md")
        assert report_file(Path("out/mine.md")) == Path("out/mine.md")

    def test_the_name_of_another_kind_of_file_is_refused(self) -> None:
        with pytest.raises(BadInput, match=r"^x\.txt: the report is Markdown: give a FILE\.md, or a folder"):
            report_file(Path("x.txt"))

    def test_a_folder_with_a_dot_that_is_there_is_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "build-1.2").mkdir()
        assert report_file(tmp_path / "build-1.2") == tmp_path / "build-1.2" / "upkeep-check.md"

    def test_a_folder_is_made_when_the_report_is_written(self, tmp_path: Path) -> None:
        writable(tmp_path / "a" / "b" / "report.md")
        assert list(tmp_path.iterdir()) == []
        deliver("# hello", tmp_path / "a" / "b" / "report.md", {})
        assert (tmp_path / "a" / "b" / "report.md").read_text() == "# hello"

    def test_a_folder_in_place_of_the_file_is_told_before_the_watch(self, tmp_path: Path) -> None:
        (tmp_path / "report.md").mkdir()
        with pytest.raises(BadInput, match="is a folder"):
            writable(tmp_path / "report.md")

    def test_what_can_no_longer_be_written_is_one_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "report.md").mkdir()
        with pytest.raises(BadInput, match=r"report\.md: cannot be written: "):
            deliver("# hello", tmp_path / "report.md", {})

    def test_a_folder_that_cannot_be_made_is_told_before_the_watch(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(BadInput, match="cannot be made"):
            writable(tmp_path / "file" / "report.md")

    def test_github_gets_it_behind_what_is_there(self, tmp_path: Path) -> None:
        summary = tmp_path / "summary.md"
        summary.write_text("# before\n")
        assert deliver("# report\n", None, {"GITHUB_STEP_SUMMARY": str(summary)}) == ""
        assert summary.read_text() == "# before\n\n# report\n"

    def test_azure_pipelines_gets_a_command_with_the_whole_path(self, tmp_path: Path) -> None:
        file = tmp_path / "report.md"
        assert deliver("# report", file, {"TF_BUILD": "True"}) == f"##vso[task.uploadsummary]{file}"

    def test_azure_pipelines_gets_a_file_though_none_was_asked_for(self, tmp_path: Path) -> None:
        command = deliver("# report", None, {"TF_BUILD": "True", "AGENT_TEMPDIRECTORY": str(tmp_path)})
        file = Path(command.removeprefix("##vso[task.uploadsummary]"))
        assert file.is_relative_to(tmp_path)
        assert file.read_text() == "# report"

    @pytest.mark.parametrize("line", ["##vso[task.complete]", "\n::error::no", "##[error]no"])
    def test_words_from_elsewhere_are_no_commands(self, line: str) -> None:
        shown = harmless(line)
        assert "##vso[" not in shown
        assert "##[" not in shown
        assert "::" not in shown
