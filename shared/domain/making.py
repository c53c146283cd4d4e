"""From training to a registered model: how a release moves by what is seen of its job, evaluation and version.

Called by decide while the release is in one of these phases.
"""

from datetime import datetime, timedelta

from shared.domain.analysis import Finding
from shared.domain.artifact import ArtifactSeen, objection
from shared.domain.asking import question
from shared.domain.budget import ENDED, charge
from shared.domain.case import Case, held_out_key
from shared.domain.changes import Draft
from shared.domain.evaluation import Evaluation
from shared.domain.gates import Verdict, judge
from shared.domain.lifecycle import Signal
from shared.domain.observation import EvaluationSeen, JobSeen, JobStatus, ModelSeen
from shared.domain.publication import Publication
from shared.domain.reasons import Why
from shared.domain.record import MAX_HELD_OUT, HeldOutRows, Judged
from shared.domain.signature import declared

_WORD = {
    Finding.PASS: Why.GATES_PASSED,
    Finding.FAIL: Why.GATES_FAILED,
    Finding.INCONCLUSIVE: Why.GATES_INCONCLUSIVE,
}


def overdue(publication: Publication, since: datetime, now: datetime) -> bool:
    """Whether a job has had its time twice over: once to wait for a node and once to run."""
    return now > since + timedelta(seconds=2 * publication.spec.training.timeout_s)


def train(publication: Publication, draft: Draft, seen: JobSeen, now: datetime) -> Draft:
    """Move by the state of the job. An absent one is submitted, a running one waited for."""
    release = draft.release
    if seen.ours and seen.status in ENDED:
        draft = charge(draft, seen, now)
    if release.stop and seen.status not in (JobStatus.WAITING, JobStatus.RUNNING):
        signal = Signal.SUPERSEDED if release.superseded else Signal.ABORTED
        return draft.signal(signal, now).end(now, release.stop)
    if not seen.ours:
        return draft.waiting(Why.NAME_TAKEN, f"Job {seen.name} exists, and Upkeep did not make it.")
    match seen.status:
        case JobStatus.COMPLETED:
            text = f"Job {seen.name} completed."
            return draft.signal(Signal.JOB_COMPLETED, now).because(Why.TRAINING_COMPLETED, text)
        case JobStatus.FAILED if release.attempt < publication.spec.training.max_attempts:
            text = f"Job {seen.name} failed{_tail(seen.detail)}. Attempt {release.attempt + 1} follows."
            draft = draft.signal(Signal.JOB_RETRIED, now, attempt=release.attempt + 1)
            return draft.because(Why.TRAINING_RETRIED, text)
        case JobStatus.FAILED | JobStatus.CANCELED:
            late = overdue(publication, release.since, now)
            why = Why.TRAINING_TIMED_OUT if late else Why.TRAINING_FAILED
            text = f"Job {seen.name} was {seen.status}{_tail(seen.detail)}."
            return draft.signal(Signal.JOB_FAILED, now).because(why, text).end(now, text)
        case _:
            return draft


def weigh(publication: Publication, draft: Draft, seen: EvaluationSeen, now: datetime) -> Draft:
    """Judge the candidate. What cannot be read or judged is never a pass, nor is an artifact that was barred."""
    release = draft.release
    if seen.evaluation is None:
        text = f"The evaluation of {release.job(draft.record.model)} cannot be used: {seen.problem}."
        return _let_go(draft.because(Why.GATES_INCONCLUSIVE, text), text, now)
    told, artifact = seen.evaluation, seen.evaluation.artifact
    draft = draft.with_release(artifact=artifact.sha256, artifact_path=artifact.path, inputs=declared(told.inputs))
    bar = draft.record.bar_on(artifact.sha256)
    if bar:
        return _reject(draft.because(Why.ARTIFACT_BARRED, bar), bar, now)
    case = _case(publication, draft)
    verdict = judge(publication.spec.gates, told, case)
    if verdict.usable:
        draft = _remember(draft, held_out_key(case.manifest, publication.training.code_id), told)
    return _follow(publication, draft, verdict, now)


def _follow(publication: Publication, draft: Draft, verdict: Verdict, now: datetime) -> Draft:
    """Do as the verdict says: register, ask a person, let go, or refuse and bar."""
    release = draft.release
    draft = draft.because(_WORD[verdict.outcome], verdict.text, {"release": release.number, **verdict.facts})
    if verdict.outcome is Finding.FAIL:
        return _reject(draft, verdict.text, now)
    draft = draft.with_release(judged=_kept(verdict))
    asked = question(publication.spec, draft.record, verdict)
    if asked:
        draft = draft.signal(Signal.APPROVAL_NEEDED, now)
        return draft.because(Why.APPROVAL_NEEDED, asked, {"release": release.number})
    if not verdict.passed:
        return _let_go(draft, verdict.text, now)
    return draft.signal(Signal.GATES_PASSED, now)


def _kept(verdict: Verdict) -> Judged:
    return Judged(text=verdict.text, facts=verdict.facts, outcome=verdict.outcome, slices=verdict.slices)


def _case(publication: Publication, draft: Draft) -> Case:
    manifest, record = draft.release.manifest, draft.record
    assert manifest is not None
    key = held_out_key(manifest, publication.training.code_id)
    return Case(
        manifest=manifest,
        champion=record.live,
        known=next((judged for judged in record.held_out if judged.of == key), None),
        columns=publication.spec.data.columns,
        sample=publication.sample_request,
        rows_at=answer.rows if (answer := publication.spec.rollout.answer) else None,
    )


def _remember(draft: Draft, key: str, evaluation: Evaluation) -> Draft:
    """Keep what these held-out parts were, so that they cannot be others next time."""
    rows, sha256 = evaluation.held_out.rows, evaluation.held_out.sha256
    others = (judged for judged in draft.record.held_out if judged.of != key)
    return draft.with_record(held_out=(*others, HeldOutRows(of=key, rows=rows, sha256=sha256))[-MAX_HELD_OUT:])


def await_approval(publication: Publication, draft: Draft, now: datetime) -> Draft:
    """Let a candidate go that nobody answered for. Its artifact is not barred: nobody spoke against it."""
    if now < draft.release.since + timedelta(seconds=publication.spec.approval.expires_s):
        return draft
    text = "Nobody approved the candidate in time."
    draft = draft.because(Why.APPROVAL_EXPIRED, text).signal(Signal.APPROVAL_EXPIRED, now)
    return draft.end(now, text)


def register(draft: Draft, seen: ModelSeen, artifact: ArtifactSeen | None, now: datetime) -> Draft:
    """Hash the model's files, then move on once the version is registered from our own job."""
    release, model = draft.release, draft.record.model
    if not seen.exists:
        return draft if release.folder else _hashed(draft, artifact, now)
    if seen.job != release.job(model):
        text = f"Version {release.version} of model {model} exists, and comes from {seen.job or 'elsewhere'}."
        return draft.waiting(Why.NAME_TAKEN, text)
    text = f"Registered as version {release.version}."
    return draft.signal(Signal.MODEL_REGISTERED, now).because(Why.MODEL_REGISTERED, text)


def _hashed(draft: Draft, seen: ArtifactSeen | None, now: datetime) -> Draft:
    """Remember what the files hash to, if the evaluated one is among them."""
    if seen is None or not seen.complete:
        return draft
    wrong = objection(draft.release.expected, seen)
    return changed(draft, wrong, now) if wrong else draft.with_release(folder=seen.sha256)


def changed(draft: Draft, wrong: str, now: datetime) -> Draft:
    """End a release whose bytes are not those that were judged. Its artifact is not to be trusted again."""
    release = draft.release
    draft = draft.because(Why.ARTIFACT_CHANGED, wrong, {"release": release.number, "version": release.version})
    return (
        draft.signal(Signal.ARTIFACT_CHANGED, now)
        .barred(release.artifact, release.number, wrong, now)
        .end(now, wrong)
    )


def _let_go(draft: Draft, text: str, now: datetime) -> Draft:
    """End the release without barring its artifact: nothing was found against it."""
    return draft.signal(Signal.GATES_INCONCLUSIVE, now).end(now, text)


def _reject(draft: Draft, text: str, now: datetime) -> Draft:
    """Refuse and bar. Not a twin of what served well, which is only no better: it stays good to go back to."""
    release, record = draft.release, draft.record
    draft = draft.signal(Signal.GATES_FAILED, now)
    if release.artifact not in {each.artifact for each in (record.live, *record.kept) if each is not None}:
        draft = draft.barred(release.artifact, release.number, text, now)
    return draft.end(now, text)


def _tail(detail: str) -> str:
    return f": {detail}" if detail else ""
