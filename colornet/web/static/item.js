// What photos and films of the page have in common.

export class Item {
  // template: of its element. about: its buttons, class -> text.
  constructor(file, template, tell, buttons) {
    this.file = file;
    this.tell = tell; // says something to those who do not see
    this.abort = new AbortController();
    this.element = template.content.firstElementChild.cloneNode(true);
    this.find('h2').textContent = file.name;
    for (const [name, text, act] of [
      ['remove', 'Remove', () => this.remove()],
      ['retry', 'Try again with', () => this.retry()],
      ['download', 'Download', () => this.download()], ...buttons]) {
      this.find(`.${name}`).setAttribute('aria-label', `${text} ${file.name}`);
      this.find(`.${name}`).addEventListener('click', act);
    }
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

  busy() {
    return (seconds) => this.state(
      `the server is busy, again in ${seconds} s …`, 'busy');
  }

  // again: what to do when the user wants to try again.
  fail(error, again) {
    if (this.removed) return;
    const name = `${this.file.name}: `;
    const text = error.message.startsWith(name) ?
      error.message.slice(name.length) : error.message;
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

  checkSize(bytes) {
    if (this.file.size > bytes) {
      throw new Error(`the file is larger than ${bytes >= 1 << 20 ?
        `${bytes >> 20} MB` : `${bytes} bytes`}`);
    }
  }

  showNotes(notes) {
    this.find('.notes').replaceChildren(...notes.map((text) => {
      const item = document.createElement('li');
      item.textContent = text;
      return item;
    }));
    this.find('.notes').hidden = !notes.length;
  }

  // Gives the browser a file. It does not tell what becomes of it: a user may
  // have forbidden several at a time.
  give(content, name, note = '') {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(content);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    const text = `given to the browser as ${name}` + (note && ` (${note})`);
    this.state(text);
    this.tell(`${this.file.name} is ${text}`);
  }

  remove() {
    const next = this.element.nextElementSibling ||
      this.element.previousElementSibling;
    for (const shown of this.element.querySelectorAll('img, video')) {
      URL.revokeObjectURL(shown.src);
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
