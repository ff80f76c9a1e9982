// A film on the page: sent, coloured by the server, fetched and shown.

import { Choices } from './choices.js';
import { Item } from './item.js';
import * as server from './server.js';
import { Sliders } from './sliders.js';

const template = document.getElementById('film');

// By its name, too: systems know no type of some.
export const isFilm = (file) => file.type.startsWith('video/') ||
  /\.(avi|m4v|mkv|mov|mp4|mpe?g|mts|nut|ogv|ts|webm|wmv)$/i.test(file.name);

// Those that the server keeps: whoever leaves the page wants them no more.
const kept = new Set();
addEventListener('pagehide', () => kept.forEach((film) => film.forget()));

export class Film extends Item {
  constructor(file, list, tell) {
    super(file, template, tell, [['recolour', 'Colour again', () => {
      this.find('h2').focus();
      this.element.dispatchEvent(new Event('retry'));
    }]]);
    list.append(this.element);
  }

  // about: promise of what the server says of films. Returns whether this one
  // is coloured.
  async colour(about) {
    this.state('being sent …', 'busy');
    this.done = false;
    const again = this.find('.recolour');
    again.disabled = true;
    try {
      this.prepare((await about).films);
      const film = await server.addFilm(this.file, this.options(),
        this.busy(), this.abort.signal);
      this.key = film.key;
      kept.add(this);
      this.showNotes(film.notes);
      await this.watch(film);
      const { content, name } = await server.coloured(this.key,
        this.abort.signal);
      this.forget();
      this.content = content;
      this.name = name;
    } catch (error) {
      this.forget();
      this.find('.bar').hidden = true;
      // The server was started anew, or this page slept for too long.
      error.passes ||= error.status === 404;
      this.done = Boolean(this.content);
      this.fail(error, () => this.element.dispatchEvent(new Event('retry')));
      return false;
    } finally {
      again.disabled = false;
    }
    this.show();
    return true;
  }

  prepare({ refusal, limits, options }) {
    if (refusal) throw new Error(refusal);
    this.checkSize(limits.bytes);
    if (this.choices) return;
    const defaults = Object.fromEntries(
      options.map((option) => [option.name, option.default]));
    this.sliders = new Sliders(this.find('.controls'), defaults, () => {});
    this.choices = new Choices(this.find('.choices'), options, () => {});
  }

  options() {
    return [...this.sliders.options(), ...this.choices.options(['film'])];
  }

  // Until it is coloured.
  async watch(film) {
    const bar = this.find('.bar');
    const start = performance.now();
    while (film.state !== 'done') {
      if (film.state === 'failed') throw new Error(film.error);
      bar.hidden = film.state !== 'working';
      if (film.state === 'waiting') {
        this.state(`waiting for ${film.before === 1 ? 'another film' :
          `${film.before} other films`} …`, 'busy');
      } else {
        const { done, frames } = film;
        if (frames) Object.assign(bar, { max: frames, value: done });
        // The first ones come together, when the server has looked ahead.
        const left = done >= 24 && frames > done && (performance.now() -
          start) / 1000 * (frames - done) / done;
        this.state(`frame ${done}${frames ? ` of ${frames}` : ''}` +
          (left ? `, ${time(left)} left` : '') + ' …', 'busy');
      }
      await new Promise((go) => setTimeout(go, 500));
      this.abort.signal.throwIfAborted();
      film = await server.film(this.key, this.abort.signal);
    }
    bar.hidden = true;
  }

  show() {
    const video = this.find('video');
    if (video.src) URL.revokeObjectURL(video.src);
    video.src = URL.createObjectURL(this.content);
    video.setAttribute('aria-label', `${this.file.name}, coloured`);
    video.hidden = false;
    video.onloadedmetadata = () => this.state(
      `${video.videoWidth} × ${video.videoHeight}, ${time(video.duration)}`);
    video.onerror = () => {
      video.hidden = true;
      this.state('coloured; this browser cannot play it, but download it');
    };
    this.find('.done').hidden = false;
    this.done = true;
    this.state('coloured');
  }

  // Returns whether the browser has it.
  async download() {
    this.give(this.content, this.name);
    return true;
  }

  // The server needs to keep it no longer.
  forget() {
    if (this.key) server.forget(this.key);
    this.key = undefined;
    kept.delete(this);
  }

  remove() {
    this.forget();
    super.remove();
  }
}

function time(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  return whole < 60 ? `${whole} s` :
    `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
