"""Load on the page's server, a small part of it."""

import contextlib
import io
import random
import socket
import threading
import time
from unittest import SkipTest, mock

from nose.plugins.attrib import attr
from nose.tools import assert_in, eq_, ok_
from PIL import Image

from colornet.engine.available import missing_onnx
from colornet.web.server import listen
from reliability import asking, asking_films, page
from reliability.asking_films import KINDS, WEIGHTS, Client, encode_films
from tests import tiny
from tests.inventing import save_invented
from tests.video import clips
from tests.web import serving


class TestLoad:
    """A server without a network, in this process."""

    def setup(self):
        serving.need_flask()
        from colornet.web.app import make_app
        self.app = make_app(serving.make_model(), places=4,
                            max_bytes=page.MAX_BYTES)
        self.server = listen(self.app, '127.0.0.1', 0)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        self.port = int(self.server.effective_port)

    setup_method = setup

    def teardown(self):
        self.server.asyncore.close_all(self.server._map)
        self.thread.join(60)
        self.server.task_dispatcher.shutdown()

    teardown_method = teardown

    def test_each_kind(self):
        client = Client(self.port, random.Random(0), page.encode_photos(),
                        page.MAX_BYTES)
        for kind in KINDS:
            assert_in(client.ask(kind), KINDS[kind] - {503}, kind)

    def test_nothing_is_lost(self):
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            load = page.Load(self.port, 4, 3)
        eq_(load.lost(), 0, load.table())
        ok_(len(load.answers) > 5, load.table())
        eq_([line for line in said.getvalue().splitlines()
             if line.strip() and 'load: ' not in line], [])
        lines = load.table().splitlines()
        eq_(len(lines), len(KINDS) + 1)

    def test_answers_that_cannot_be_read_are_lost(self):
        self.app.view_functions['health'] = lambda: ('<html>', 500)
        with contextlib.redirect_stderr(io.StringIO()), mock.patch.object(
                page, 'KINDS', {'health': {200}}):
            load = page.Load(self.port, 2, 1)
        ok_(load.lost() > 0)
        eq_(load.lost(), sum(load.answers['health'].values()))

    def test_memory_that_grows_is_not_well(self):
        load = page.Load(self.port, 0, 0)
        load.answers['photo'][200] = 1
        memory = list(range(0, 800, 100))
        for kept, expected in ([], False), (memory, True):
            load.kept = list(enumerate(kept))
            server = mock.Mock(memory=memory, looks=range(8))
            text, is_well = page.summarize(load, server, '', 0, 2000, 300)
            eq_(is_well, expected, text)

    def test_answers_are_looked_at(self):
        from flask import Response

        from colornet.web.options import BadOption
        photos = page.encode_photos()
        client = Client(self.port, random.Random(0), photos, page.MAX_BYTES)
        views = self.app.view_functions
        real, count = views['after'], []

        def first_is_wrong(key):
            count.append(key)
            if len(count) == 1:
                raise BadOption('wrong')
            return real(key)
        views['after'] = first_is_wrong
        eq_(client.ask('sliders and hints'), 422)
        for size in (9, 9), (800, 600):
            views['colorize'] = views['after'] = lambda *_, **__: Response(
                serving.encoded(Image.new('L', size)), 200,
                mimetype='image/jpeg')
            for kind in ('photo', 'photo, another format', 'slow photo',
                         'name with tricks', 'sliders and hints'):
                assert_in('lost: AssertionError', client.ask(kind), kind)

    def test_answers_of_films_are_looked_at(self):
        clips.need_video()
        from flask import Response, jsonify
        client = Client(self.port, random.Random(0), page.encode_photos(),
                        page.MAX_BYTES)
        views = self.app.view_functions
        films = [content for _, content in encode_films()]
        dark = asking_films._encode('a.mp4', [
            pixels // 2 for pixels in clips.moving(8)])[1]
        real = dict(views)

        def told(**wrong):
            return lambda key: jsonify(dict(
                real['film'](key).get_json(), **wrong))

        def another(film):
            def coloured(key):
                answer = real['coloured_film'](key)
                return Response(film, 200) if answer.status_code == 200 \
                    else answer
            return coloured
        with mock.patch.object(client, 'draw', mock.Mock(
                wraps=client.draw, choice=lambda values: values[0])):
            eq_(client.ask('film'), 200)
            for name, view, kinds, words in [
                    # Another film: longer, or of as many frames.
                    ('coloured_film', another(films[1]), ['film'],
                     'another film'),
                    ('coloured_film', another(dark), ['film'],
                     'another film'),
                    ('film', told(state='failed', error='x'), ['film'],
                     "'state': 'failed'"),
                    ('film', told(done=-1), ['film'], "'done': -1"),
                    # What is removed is kept.
                    ('remove_film', lambda key: ('', 204),
                     ['film', 'film that is given up'], 'removed: 200')]:
                views[name] = view
                for kind in kinds:
                    result = client.ask(kind)
                    assert_in('lost: ', str(result), name)
                    assert_in(words, result)
                views[name] = real[name]
                for key in list(self.app.extensions['films']._jobs):
                    self.app.extensions['films'].remove(key)
            # Of one to which nothing happens; also where all shall end.
            views['film'] = told(state='working', done=0)
            for client.deadline in float('inf'), time.monotonic():
                for kind in 'film', 'film that is damaged':
                    with mock.patch.multiple(
                            asking_films, PATIENCE=.5,
                            mutate=lambda content, *_: content):
                        assert_in("'state': 'working'", str(client.ask(kind)))

    def test_the_end_waits_for_what_is_under_way(self):
        views, asked = self.app.view_functions, []
        real = views['health']

        def health():
            asked.append(time.monotonic())
            return dict(real().get_json(), films=int(len(asked) < 3))
        views['health'] = health
        page._await_idle(self.port)
        eq_(len(asked), 3)
        with mock.patch.object(page, '_LONGEST_END', .5):
            views['health'] = lambda: dict(real().get_json(), waiting=1)
            start = time.monotonic()
            page._await_idle(self.port)
        ok_(time.monotonic() < start + 30)

    def test_films_are_asked_for_seldom(self):
        clips.need_video()
        places = sum(WEIGHTS.values())
        ok_(1 / 40 < places / sum(WEIGHTS.get(kind, 1) for kind in KINDS)
            < 1 / 20)
        eq_(set(WEIGHTS) - set(KINDS), set())

    def test_late_answers_are_lost(self):
        client = Client(self.port, random.Random(0), [], page.MAX_BYTES)
        eq_(client.ask('health'), 200)
        with mock.patch.dict(asking.PROMPT, health=0):
            eq_(client.ask('health'), 'lost: after 0 seconds')

    def test_who_only_refuses_is_not_well(self):
        often = page.OFTEN
        for answers, others, expected in [
                ({}, {}, False), ({503: 9}, {}, False),
                ({503: 9, 200: 1}, {}, True),
                # Of a few of a kind, all may be refused.
                ({200: 1}, {503: often - 1}, True),
                ({200: 1}, {503: often}, False),
                ({200: 1}, {503: often, 415: 1}, True)]:
            load = page.Load(self.port, 0, 0)
            load.answers['photo'].update(answers)
            load.answers['empty file'].update(others)
            text, is_well = page.summarize(load, mock.Mock(memory=[]), '', 0,
                                           1, 1)
            eq_(is_well, expected)
            eq_('only refused, empty file: 100' in text,
                others == {503: often})

    def test_other_answers_are_lost(self):
        self.app.view_functions['health'] = lambda: 1 / 0
        with contextlib.redirect_stderr(io.StringIO()), mock.patch.object(
                page, 'KINDS', {'health': {200}}):
            load = page.Load(self.port, 2, 1)
            eq_(load.lost(), load.answers['health'][500], load.table())
        ok_(load.answers['health'][500] > 0)
        eq_(set(load.answers['health']), {500})


def test_no_answer_is_lost():
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        with contextlib.redirect_stderr(io.StringIO()):
            load = page.Load(taken.getsockname()[1], 1, 1)
    total = sum(sum(results.values()) for results in load.answers.values())
    eq_(load.lost(), total)
    assert_in('lost: ConnectionRefusedError', load.table())


class TestCommand(tiny.InFolder):
    """``python -m reliability.page``, with an invented network."""

    NUM_PHOTOS = 0

    @attr('slow')
    def test_it(self):
        serving.need_flask()
        if missing_onnx():
            raise SkipTest(missing_onnx())
        network = self.root / 'network.h5'
        save_invented(network)
        out = io.StringIO()
        with contextlib.redirect_stdout(out), \
                contextlib.redirect_stderr(io.StringIO()):
            status = page.main(['--clients', '10', '--seconds', '20', '--',
                                '--engine', 'onnx', '--network',
                                str(network)])
        eq_(status, 0, out.getvalue())
        assert_in('lost: 0', out.getvalue())
