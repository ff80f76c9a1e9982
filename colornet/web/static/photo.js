// One photo on the page: before and after, its sliders, its download.

import { Hints } from './hints.js';
import * as server from './server.js';
import { Sliders } from './sliders.js';

const template = document.getElementById('photo');

export class Photo {
  constructor(file, list, defaults, tell) {
    this.file = file;
    this.tell = tell; // says something to those who do not see
    this.defaults = defaults;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.find('h2').textContent = file.name;
    this.find('.remove').setAttribute('aria-label', `Remove ${file.name}`);
    this.find('.remove').addEventListener('click', () => this.remove());
    list.append(this.element);
    this.state('waiting');
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  state(text, kind = '') {
    const state = this.find('.state');
    state.textContent = text;
    state.className = `state ${kind}`;
  }

  // Returns whether it is coloured.
  async colour() {
    this.state('being coloured …', 'busy');
    try {
      await this.lookAgain();
      await this.showPictures();
    } catch (error) {
      this.fail(error);
      return false;
    }
    this.state(`${this.seen.columns} × ${this.seen.rows}`);
    this.done = true;
    return true;
  }

  fail(error) {
    const text = error.message.replace(`${this.file.name}: `, '');
    this.state(text, 'error');
    this.tell(`${this.file.name}: ${text}`);
  }

  async lookAgain() {
    this.seen = await server.look(this.file, (seconds) => this.state(
      `the server is busy, again in ${seconds} s …`, 'busy'));
  }

  async showPictures() {
    const { small, notes } = this.seen;
    for (const text of notes) {
      const item = document.createElement('li');
      item.textContent = text;
      this.find('.notes').append(item);
    }
    this.find('.notes').hidden = !notes.length;
    const name = this.file.name;
    for (const [slot, text] of [['before', 'as it came'],
      ['after', 'coloured']]) {
      const image = this.find(`.${slot}`);
      Object.assign(image, { width: small.columns, height: small.rows,
        alt: `${name}, ${text}` });
    }
    this.element.style.setProperty('--ratio', small.columns / small.rows);
    this.sliders = new Sliders(this.find('.controls'), this.defaults,
      () => this.update());
    this.prepareColours();
    this.prepareHints();
    this.prepareCompare();
    this.find('.download').addEventListener('click', () => this.download());
    this.find('.download').setAttribute('aria-label', `Download ${name}`);
    this.find('.reset').addEventListener('click', () => {
      this.sliders.reset();
      this.find('.own-colours').value = 'replace';
      if (this.hints) this.hints.reset();
      this.update();
    });
    await show(this.find('.before'), await server.before(this.seen.key));
    await this.fetchAfter();
    this.find('.done').hidden = false;
  }

  prepareColours() {
    const choice = this.find('.own-colours');
    choice.parentElement.hidden = !this.seen.has_colours;
    choice.addEventListener('change', () => this.update());
  }

  prepareHints() {
    if (!('hint' in this.defaults)) {
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
  options() {
    const own = this.find('.own-colours').value;
    return [...this.sliders.options(),
      ...(own === 'replace' ? [] : [['colour', own]]),
      ...(this.hints ? this.hints.options() : [])];
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
      this.state(`${this.seen.columns} × ${this.seen.rows}`);
    } catch (error) {
      this.fail(error);
    } finally {
      this.updating = false;
      this.find('.compare').removeAttribute('aria-busy');
    }
  }

  async fetchAfter() {
    const options = this.options();
    let picture;
    try {
      picture = await server.after(this.seen.key, options);
    } catch (error) {
      if (error.status !== 404) throw error;
      await this.lookAgain(); // the server needed the room for others
      picture = await server.after(this.seen.key, options);
    }
    await show(this.find('.after'), picture);
  }

  async download() {
    const button = this.find('.download');
    const focused = document.activeElement === button;
    button.disabled = true;
    this.state('being written …', 'busy');
    try {
      const { content, note } = await server.colorize(this.file, this.options(),
        (seconds) => this.state(
          `the server is busy, again in ${seconds} s …`, 'busy'));
      const link = document.createElement('a');
      link.href = URL.createObjectURL(content);
      link.download = this.seen.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      const more = note && ` (${note})`;
      this.state(`saved as ${this.seen.name}${more}`);
      this.tell(`${this.file.name} is saved as ${this.seen.name}${more}`);
    } catch (error) {
      this.fail(error);
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
    this.removed = true;
    (next ? next.querySelector('.remove') :
      document.getElementById('files')).focus();
    this.tell(`${this.file.name} is removed`);
    this.element.dispatchEvent(new Event('removed'));
  }
}

async function show(image, blob) {
  const old = image.src;
  image.src = URL.createObjectURL(blob);
  await image.decode();
  if (old) URL.revokeObjectURL(old);
}
