"""Train and score the variants of studies (paper, 5.2; 3.4 to 5.3)."""

from collections import OrderedDict
from pathlib import Path

from ..data.subsets import check_subset
from ..errors import ColornetError
from ..files import locked
from ..flow.jobs import Job, run_jobs
from ..training.run_folder import find_divergence, is_finished
from .results import collect_rows, read_scores, scores_file
from .saving import check_results, draw, merge_results, refuse_other_settings
from .study import SCALES, Session, load_study, plan_study, scale_file
from .tables import format_results

__all__ = ['run_studies']


def run_studies(names, data_folder, scale, runs_folder, results_folder,
                overrides=(), scheduler=None, threads=None):
    """Run studies; what is finished is skipped, the rest resumed.

    Parameters
    ----------
    names : list of str
        Names or files, see :func:`colornet.studies.study.load_study`.
    data_folder : str or Path
        Photos to train on.
    scale : 'quick' or 'full'
    runs_folder : str or Path
        ``<scale>/<what differs>`` in there are the run folders; ``<scale>/
        <study>.png`` and ``<study>_photos.png`` get curves and pictures.
    results_folder : str or Path
        ``<study>.csv`` gets a row for each variant, ``<study>_curves.csv``
        one for each of its epochs, or minibatches. Rows of the other scale
        stay. Numbers made with other `overrides` are not replaced: these need
        another folder.
    overrides : iterable of str
        ``section.key=value``, for all variants.
    scheduler, threads
        As for :func:`colornet.flow.jobs.run_jobs`.

    Yields
    ------
    study : Study
    text : str
        Its table.
    num_failed : int
        Variants that have no numbers.

    Raises
    ------
    ColornetError
        If a study or a setting is wrong, photos are missing, results that
        are there are damaged or were made with other `overrides`, a run
        folder is damaged or holds a training with other settings or photos,
        or another process runs studies there.
    Interrupted
        As :func:`colornet.flow.jobs.run_jobs`.
    """
    session = Session(
        scale=scale, folder=Path(runs_folder).resolve() / scale,
        data_folder=Path(data_folder).resolve(),
        results_folder=Path(results_folder), overrides=list(overrides))
    if not session.data_folder.is_dir():
        raise ColornetError('there is no folder %s of photos'
                            % session.data_folder)
    plans = OrderedDict()
    for name in names:
        study = load_study(name)
        if study.name not in plans:
            # An error in the settings of the other scale is told as well.
            plan, _ = [plan_study(study, each, session.overrides)
                       for each in sorted(
                           SCALES, key=lambda each: each != scale)]
            plans[study.name] = study, plan
        elif plans[study.name][0].source != study.source:
            raise ColornetError('there are two studies called %s' % study.name)
    for study, plan in plans.values():
        check_results(study, session)
        for variant in plan:
            check_subset(variant.config, session.data_folder, study.evaluate)
        refuse_other_settings(study, session)
    with locked(session.folder, 'other studies are running in %s; wait for '
                'them or choose another --runs' % session.folder):
        yield from _run_plans(list(plans.values()), session, scheduler,
                              threads)


def _run_plans(waiting, session, scheduler, threads):
    """The part of :func:`run_studies` that runs them."""
    configs = {variant.run: variant.config
               for _, plan in waiting for variant in plan}
    failed = {run: find_divergence(config, session.folder / run)
              for run, config in configs.items()}
    jobs = _make_jobs(waiting, session, failed)
    left = {job.name for job in jobs}
    for run, message in _with_start(
            run_jobs(jobs, scheduler, threads, session.folder)):
        left.discard(run)
        if message:
            failed[run] = message
        for study, plan in [ended for ended in waiting if not left & {
                variant.run for variant in ended[1]}]:
            waiting.remove((study, plan))
            text = _keep_results(study, plan, session, failed)
            yield study, text, sum(bool(failed[variant.run])
                                   for variant in plan)


def _keep_results(study, plan, session, failed):
    """Write all results of a study; return the table to print."""
    results = collect_rows(study, plan, session, failed)
    merge_results(study, session, results)
    draw(study, plan, session, results)
    return format_results(study, session.scale, results.rows)


def _with_start(messages):
    """First a job of no name: studies may have nothing left to do."""
    yield None, ''
    yield from messages


def _make_jobs(plans, session, failed):
    """What is not done yet: a job for each run folder."""
    data = ['--data', str(session.data_folder)]
    jobs, is_trained = OrderedDict(), {}
    for study, plan in plans:
        for variant in plan:
            name, run = variant.run, session.folder / variant.run
            if failed[name]:
                continue
            if name not in jobs:
                jobs[name] = Job(name=name, commands=[],
                                 environment=variant.environment, folder=run)
                is_trained[name] = is_finished(variant.config, run,
                                               session.data_folder)
                if not is_trained[name]:
                    jobs[name].commands.append(
                        ['train', str(scale_file(session.scale))] + data +
                        ['--out', str(run)] +
                        _as_options('--set', variant.overrides))
            scores = scores_file(run, study, variant)
            command = ['evaluate', str(run)] + data + [
                '--subset', study.evaluate, '--out', str(scores),
                '--pictures', str(scores.with_suffix(''))
                ] + _as_options('--decoding', variant.decoding)
            if command not in jobs[name].commands and not (
                    is_trained[name] and _is_scored(run, scores)):
                jobs[name].commands.append(command)
    return [job for job in jobs.values() if job.commands]


def _as_options(option, settings):
    return [word for setting in settings for word in (option, setting)]


def _is_scored(run, scores):
    """Whether the network that is there now has scores and pictures."""
    try:
        read_scores(scores, run / 'best.h5')
    except ColornetError:
        return False
    return True
