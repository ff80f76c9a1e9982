// Colours that a user gives for spots of a photo.

const GREY = '#808080';
const PALETTE = [['Grey', GREY], ['Skin', '#d9a585'], ['Brown', '#7a5230'],
  ['Red', '#b3322c'], ['Yellow', '#d9b23c'], ['Green', '#5c8a3c'],
  ['Sky', '#79aede'], ['Blue', '#2f5597']];

const template = document.getElementById('hint');

export class Hints {
  // shape: columns and rows of the photo; changed(): show what they do.
  constructor(photo, shape, changed, tell) {
    this.photo = photo;
    this.shape = shape;
    this.changed = changed;
    this.tell = tell;
    this.list = []; // of { x, y, color }
    this.past = []; // earlier lists
    this.cross = { x: shape.columns >> 1, y: shape.rows >> 1 };
    this.area = photo.querySelector('.spots');
    this.toggle = photo.querySelector('.hinting');
    this.undoButton = photo.querySelector('.undo');
    this.items = photo.querySelector('.hints');
    this.fillPalette();
    this.toggle.addEventListener('click', () => this.open(!this.isOpen));
    this.undoButton.addEventListener('click', () => this.undo());
    this.area.addEventListener('click', (event) => this.click(event));
    this.area.addEventListener('keydown', (event) => this.key(event));
    this.open(false);
    this.show();
  }

  fillPalette() {
    const group = this.photo.querySelector('.palette');
    const name = `color-${Math.random().toString(36).slice(2)}`;
    const own = group.querySelector('.own');
    for (const [text, color] of PALETTE) {
      const label = document.createElement('label');
      label.className = 'swatch';
      label.title = text === 'Grey' ? 'This is grey' : text;
      label.style.setProperty('--color', color);
      const input = document.createElement('input');
      Object.assign(input, { type: 'radio', name, value: color,
        checked: text === 'Brown' });
      input.setAttribute('aria-label', label.title);
      label.append(input);
      own.before(label);
    }
    const [radio, picker] = own.querySelectorAll('input');
    radio.name = name;
    picker.addEventListener('input', () => {
      radio.value = picker.value;
      radio.checked = true;
      own.style.setProperty('--color', picker.value);
    });
    radio.value = picker.value;
    this.color = () => group.querySelector('input[type=radio]:checked').value;
  }

  open(isOpen) {
    this.isOpen = isOpen;
    this.toggle.setAttribute('aria-expanded', isOpen);
    this.photo.querySelector('.hint-tools').hidden = !isOpen;
    this.area.hidden = !isOpen;
    const compare = this.photo.querySelector('.compare');
    if (isOpen) {
      this.was = compare.value;
      compare.value = 0; // all of it coloured
    } else if (this.was !== undefined) {
      compare.value = this.was;
    }
    compare.inert = isOpen;
  }

  click(event) {
    if (event.detail === 0) return; // a key's
    const box = this.area.getBoundingClientRect();
    this.move((event.clientX - box.left) / box.width * this.shape.columns,
      (event.clientY - box.top) / box.height * this.shape.rows);
    this.add();
  }

  key(event) {
    const { columns, rows } = this.shape;
    const step = Math.max(1, Math.round(
      Math.max(columns, rows) * (event.shiftKey ? 0.002 : 0.02)));
    const way = { ArrowLeft: [-step, 0], ArrowRight: [step, 0],
      ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (way) {
      this.move(this.cross.x + way[0], this.cross.y + way[1]);
      this.tell(`${this.cross.x}, ${this.cross.y} of ${columns} × ${rows}`);
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.add();
    } else if (event.key === 'z' && (event.ctrlKey || event.metaKey)) {
      this.undo();
    } else if (event.key === 'Escape') {
      this.open(false);
      this.toggle.focus();
    } else {
      return;
    }
    event.preventDefault();
  }

  inside(x, y) {
    const limit = (value, size) => Math.min(size - 1, Math.max(0,
      Math.floor(Number(value) || 0)));
    return { x: limit(x, this.shape.columns), y: limit(y, this.shape.rows) };
  }

  move(x, y) {
    this.cross = this.inside(x, y);
    this.place(this.area.querySelector('.cross'), this.cross);
  }

  place(element, { x, y }) {
    element.style.left = `${100 * (x + 0.5) / this.shape.columns}%`;
    element.style.top = `${100 * (y + 0.5) / this.shape.rows}%`;
  }

  add() {
    const hint = { ...this.cross, color: this.color() };
    this.change([...this.list, hint]);
    this.tell(`spot ${this.list.length} at ${hint.x}, ${hint.y} is ` +
      this.say(hint.color));
  }

  say(color) {
    const known = PALETTE.find((entry) => entry[1] === color);
    return known ? known[0].toLowerCase() : color;
  }

  change(list) {
    this.past.push(this.list);
    this.list = list;
    this.show();
    this.changed();
  }

  undo() {
    if (!this.past.length) return;
    this.list = this.past.pop();
    this.show();
    this.changed();
    this.tell(`undone, ${this.list.length} spots have colours`);
    if (this.undoButton.disabled) this.area.focus();
  }

  reset() {
    if (this.list.length) this.past.push(this.list);
    this.list = [];
    this.show();
  }

  show() {
    this.undoButton.disabled = !this.past.length;
    this.move(this.cross.x, this.cross.y);
    for (const mark of this.area.querySelectorAll('.mark')) mark.remove();
    this.items.replaceChildren();
    this.list.forEach((hint, index) => {
      const mark = document.createElement('span');
      mark.className = 'mark';
      mark.style.setProperty('--color', hint.color);
      this.place(mark, hint);
      this.area.append(mark);
      this.items.append(this.item(hint, index));
    });
  }

  item(hint, index) {
    const item = template.content.firstElementChild.cloneNode(true);
    const number = index + 1;
    const x = item.querySelector('.x');
    const y = item.querySelector('.y');
    const color = item.querySelector('.color');
    Object.assign(x, { value: hint.x, max: this.shape.columns - 1 });
    Object.assign(y, { value: hint.y, max: this.shape.rows - 1 });
    color.value = hint.color;
    x.setAttribute('aria-label', `Spot ${number}, pixels from the left`);
    y.setAttribute('aria-label', `Spot ${number}, pixels from above`);
    color.setAttribute('aria-label', `Colour of spot ${number}`);
    const remove = item.querySelector('button');
    remove.setAttribute('aria-label', `Remove spot ${number}`);
    for (const input of [x, y, color]) {
      input.addEventListener('change', () => {
        if (x.value === '' || y.value === '') {
          this.show(); // as it was
          return;
        }
        const list = [...this.list];
        list[index] = { ...this.inside(x.value, y.value),
          color: color.value };
        const name = input.className;
        this.change(list);
        this.items.children[index].querySelector(`.${name}`).focus();
      });
    }
    remove.addEventListener('click', () => {
      this.change(this.list.filter((_, other) => other !== index));
      this.tell(`spot ${number} is removed`);
      const next = this.items.children[Math.min(index,
        this.list.length - 1)];
      (next ? next.querySelector('button') : this.area).focus();
    });
    return item;
  }

  // As the server takes them.
  options() {
    return this.list.map(({ x, y, color }) => ['hints',
      `${x},${y}=${color}`]);
  }
}
