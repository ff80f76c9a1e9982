// One photo on the page: before and after, its sliders, its download.

import { Choices } from './choices.js';
import { Hints } from './hints.js';
import * as server from './server.js';
import { Sliders } from './sliders.js';

const template = document.getElementById('photo');

export class Photo {
  constructor(file, list, tell) {
    this.file = file;
    this.tell = tell; // says something to those who do not see
    this.abort = new AbortController();
    this.element = template.content.firstElementChild.cloneNode(true);
    this.find('h2').textContent = file.name;
    for (const [name, text, act] of [
      ['remove', 'Remove', () => this.remove()],
      ['retry', 'Try again with', () => this.retry()],
      ['download', 'Download', () => this.download()],
      ['reset', 'Reset', () => this.reset()]]) {
      this.find(`.${name}`).setAttribute('aria-label', `${text} ${file.name}`);
      this.find(`.${name}`).addEventListener('click', act);
    }
    list.append(this.element);
    this.state('waiting');
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  // What is said now; what failed before is no more.
  state(text, kind = '') {
    const state = this.find('.state');
    state.textContent = text;
    state.className = `state ${kind}`;
    this.again = undefined;
    this.find('.retry').hidden = true;
    this.changed();
  }

  changed() {
    this.element.dispatchEvent(new Event('changed'));
  }

  ready() {
    this.state(`${this.seen.columns} × ${this.seen.rows}`);
  }

  // server: promise of what it says of its options and limits. Returns
  // whether the photo is coloured.
  async colour(server) {
    this.state('being coloured …', 'busy');
    try {
      await this.prepare(await server);
      await this.lookAgain();
      await this.showPictures();
    } catch (error) {
      this.fail(error, () => this.element.dispatchEvent(new Event('retry')));
      return false;
    }
    this.done = true;
    this.ready();
    return true;
  }

  // again: what to do when the user wants to try again.
  fail(error, again) {
    if (this.removed) return;
    const text = error.message.replace(`${this.file.name}: `, '');
    this.state(text, 'error');
    this.tell(`${this.file.name}: ${text}`);
    if (!error.passes) return;
    this.again = again;
    this.find('.retry').hidden = false;
    this.changed();
  }

  retry() {
    const { again } = this;
    if (document.activeElement === this.find('.retry')) this.find('h2').focus();
    this.state('waiting');
    again();
  }

  async prepare({ options, limits }) {
    if (this.file.size > limits.bytes) {
      throw new Error(`the file is larger than ${limits.bytes >= 1 << 20 ?
        `${limits.bytes >> 20} MB` : `${limits.bytes} bytes`}`);
    }
    if (this.choices) return;
    this.defaults = Object.fromEntries(
      options.map((option) => [option.name, option.default]));
    this.sliders = new Sliders(this.find('.controls'), this.defaults,
      () => this.update());
    this.choices = new Choices(this.find('.choices'), options,
      () => this.update());
    this.find('.own-colours').addEventListener('change', () => this.update());
    this.prepareCompare();
  }

  busy() {
    return (seconds) => this.state(
      `the server is busy, again in ${seconds} s …`, 'busy');
  }

  async lookAgain() {
    const looks = this.choices.options(['look']);
    this.seen = await server.look(this.file, looks, this.busy(),
      this.abort.signal);
    this.looks = String(looks);
  }

  async showPictures() {
    const { small, notes } = this.seen;
    this.find('.notes').replaceChildren(...notes.map((text) => {
      const item = document.createElement('li');
      item.textContent = text;
      return item;
    }));
    this.find('.notes').hidden = !notes.length;
    const name = this.file.name;
    for (const [slot, text] of [['before', 'as it came'],
      ['after', 'coloured']]) {
      const image = this.find(`.${slot}`);
      Object.assign(image, { width: small.columns, height: small.rows,
        alt: `${name}, ${text}` });
    }
    this.element.style.setProperty('--ratio', small.columns / small.rows);
    this.find('.choice').hidden = !this.seen.has_colours;
    this.prepareHints();
    await show(this.find('.before'),
      await server.before(this.seen.key, this.busy(), this.abort.signal));
    await this.fetchAfter();
    this.find('.done').hidden = false;
  }

  prepareHints() {
    if (this.hints) return;
    if (!('hints' in this.defaults)) {
      this.find('.hinting').hidden = true;
      return;
    }
    this.find('.spots').setAttribute('aria-label',
      `Spots of ${this.file.name}: arrow keys move the cross, Enter sets ` +
      'the colour, Escape ends');
    this.hints = new Hints(this.element, this.seen, () => this.update(),
      this.tell);
  }

  // What was changed, as the server takes it.
  options(steps) {
    const own = this.find('.own-colours').value;
    return [...this.sliders.options(), ...this.choices.options(steps),
      ...(own === 'replace' ? [] : [['colour', own]]),
      ...(this.hints ? this.hints.options() : [])];
  }

  reset() {
    this.sliders.reset();
    this.choices.reset();
    this.find('.own-colours').value = 'replace';
    if (this.hints) this.hints.reset();
    this.update();
  }

  prepareCompare() {
    const compare = this.find('.compare');
    compare.setAttribute('aria-label',
      `Before and after of ${this.file.name}, arrow keys compare`);
    const describe = () => {
      const value = Math.round(compare.value);
      compare.setAttribute('aria-valuenow', value);
      compare.setAttribute('aria-valuetext', `${value} % as it came`);
    };
    compare.addEventListener('slide', describe);
    compare.addEventListener('keydown', (event) => {
      const value = { Home: 0, End: 100 }[event.key];
      if (value === undefined) return;
      event.preventDefault();
      compare.value = value;
      describe();
    });
    describe();
  }

  // One request at a time, of the latest sliders.
  async update() {
    this.stale = true;
    if (this.updating) return;
    this.updating = true;
    this.find('.compare').setAttribute('aria-busy', 'true');
    try {
      while (this.stale) {
        this.stale = false;
        await this.fetchAfter();
      }
      this.ready();
    } catch (error) {
      this.fail(error, () => this.update());
    } finally {
      this.updating = false;
      this.find('.compare').removeAttribute('aria-busy');
    }
  }

  async fetchAfter() {
    const options = this.options(['colour']);
    if (this.looks !== String(this.choices.options(['look']))) {
      await this.lookAgain();
    }
    const ask = () => server.after(this.seen.key, options, this.busy(),
      this.abort.signal);
    let picture;
    try {
      picture = await ask();
    } catch (error) {
      if (error.status !== 404) throw error;
      await this.lookAgain(); // the server needed the room for others
      picture = await ask();
    }
    await show(this.find('.after'), picture);
  }

  // Returns whether the browser has the coloured photo. It does not tell
  // what becomes of it: a user may have forbidden several at a time.
  async download() {
    const button = this.find('.download');
    const focused = document.activeElement === button;
    button.disabled = true;
    this.state('being written …', 'busy');
    try {
      const { content, name, note } = await server.colorize(this.file,
        this.options(['look', 'colour', 'file']), this.busy(),
        this.abort.signal);
      const link = document.createElement('a');
      link.href = URL.createObjectURL(content);
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      const text = `given to the browser as ${name}` +
        (note && ` (${note})`);
      this.state(text);
      this.tell(`${this.file.name} is ${text}`);
      return true;
    } catch (error) {
      this.fail(error, () => this.download());
      return false;
    } finally {
      button.disabled = false;
      if (focused) button.focus();
    }
  }

  remove() {
    const next = this.element.nextElementSibling ||
      this.element.previousElementSibling;
    for (const image of this.element.querySelectorAll('img')) {
      URL.revokeObjectURL(image.src);
    }
    this.element.remove();
    this.done = false;
    this.again = undefined;
    this.removed = true;
    this.abort.abort();
    (next ? next.querySelector('.remove') :
      document.getElementById('files')).focus();
    this.tell(`${this.file.name} is removed`);
    this.changed();
  }
}

async function show(image, blob) {
  const old = image.src;
  image.src = URL.createObjectURL(blob);
  await image.decode();
  if (old) URL.revokeObjectURL(old);
}
