// Options of a photo that have no control of their own, as the server has
// them: what it adds is here, too.

const OWN = ['saturation', 'temperature', 'method', 'hints', 'colour'];

const LABELS = {
  borders: 'Borders',
  tones: 'Faded tones',
  every: 'Frames that the network sees',
  smooth: 'Steadiness of colours',
  smoothing: 'Smoothing',
  format: 'Format',
  quality: 'Quality',
  depth: 'Bits a channel',
  refinement: 'Even colours',
  mark: 'Mark',
};

function control({ schema, name }) {
  const values = schema.enum || schema.examples;
  if (values) {
    const select = document.createElement('select');
    for (const value of values) select.add(new Option(value, value));
    return select;
  }
  const input = document.createElement('input');
  input.type = schema.type === 'boolean' ? 'checkbox' : 'number';
  Object.assign(input, { min: schema.minimum, max: schema.maximum ??
    schema.exclusiveMaximum, name });
  input.step = schema.type === 'integer' ? 1 : 'any';
  return input;
}

export class Choices {
  // options: as of the server; changed(): show what they do.
  constructor(parent, options, changed) {
    this.list = options.filter(({ name }) => !OWN.includes(name));
    for (const option of this.list) {
      const label = document.createElement('label');
      const name = document.createElement('span');
      const text = document.createElement('small');
      name.textContent = LABELS[option.name] || option.name;
      text.textContent = option.description;
      option.input = control(option);
      option.input.name = option.name;
      // Not given: the server decides by the photo, or by the network.
      if (option.input.options && option.default === null) {
        option.input.options.add(new Option(
          option.step === 'file' ? 'as the photo' : 'as usual', ''), 0);
      }
      option.input.addEventListener('change', () => {
        if (!option.input.checkValidity() || option.input.value === '') {
          this.set(option);
        }
        if (option.step !== 'file') changed();
      });
      label.append(name, option.input, text);
      parent.append(label);
      this.set(option);
    }
  }

  // The default.
  set({ input, default: value }) {
    if (input.type === 'checkbox') input.checked = value;
    else input.value = value ?? '';
  }

  reset() {
    for (const option of this.list) this.set(option);
  }

  // What was changed, of some of the server's steps.
  options(steps) {
    const changed = [];
    for (const { name, input, step, default: value } of this.list) {
      const now = input.type === 'checkbox' ? String(input.checked) :
        input.value;
      if (steps.includes(step) && now !== String(value ?? '')) {
        changed.push([name, now]);
      }
    }
    return changed;
  }
}
