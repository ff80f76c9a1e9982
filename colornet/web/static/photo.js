// One photo on the page: before and after, its sliders, its download.

import { Choices } from './choices.js';
import { Hints } from './hints.js';
import { Item } from './item.js';
import * as server from './server.js';
import { Sliders } from './sliders.js';

const template = document.getElementById('photo');

export class Photo extends Item {
  constructor(file, list, tell) {
    super(file, template, tell, [['reset', 'Reset', () => this.reset()]]);
    list.append(this.element);
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

  async prepare({ options, limits }) {
    this.checkSize(limits.bytes);
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

  async lookAgain() {
    const looks = this.choices.options(['look']);
    this.seen = await server.look(this.file, looks, this.busy(),
      this.abort.signal);
    this.looks = String(looks);
  }

  async showPictures() {
    const { small, notes } = this.seen;
    this.showNotes(notes);
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

  // Returns whether the browser has the coloured photo.
  async download() {
    const button = this.find('.download');
    const focused = document.activeElement === button;
    button.disabled = true;
    this.state('being written …', 'busy');
    try {
      const { content, name, note } = await server.colorize(this.file,
        this.options(['look', 'colour', 'file']), this.busy(),
        this.abort.signal);
      this.give(content, name, note);
      return true;
    } catch (error) {
      this.fail(error, () => this.download());
      return false;
    } finally {
      button.disabled = false;
      if (focused) button.focus();
    }
  }
}

async function show(image, blob) {
  const old = image.src;
  image.src = URL.createObjectURL(blob);
  await image.decode();
  if (old) URL.revokeObjectURL(old);
}
