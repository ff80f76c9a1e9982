// The sliders of a photo, of the options that the network has.

const LABELS = {
  saturation: ['Strength of colour', 'grey', 'strong'],
  temperature: ['Temperature', 'bold', 'calm'],
};

// Position of a slider -> what it shows, and what the server takes.
function kinds(defaults) {
  const { saturation, temperature, method } = defaults;
  const found = {};
  if (saturation !== undefined) {
    found.saturation = {
      min: 0, max: 200, step: 5, start: 100,
      text: (percent) => `${percent} %`,
      options: (percent) => (
        { saturation: +(saturation * percent / 100).toPrecision(6) }),
    };
  }
  if (temperature !== undefined && method !== undefined) {
    found.temperature = {
      min: 0, max: 1.5, step: 0.05,
      start: method === 'argmax' ? 0 : temperature,
      text: (value) => (value ? value.toFixed(2) : 'likeliest colours'),
      options: (value) => (value ? { method: 'mean', temperature: value } :
        { method: 'argmax' }),
    };
  }
  return found;
}

export class Sliders {
  constructor(parent, defaults, onChange) {
    this.kinds = kinds(defaults);
    this.inputs = {};
    for (const [name, kind] of Object.entries(this.kinds)) {
      const [text, low, high] = LABELS[name];
      const label = document.createElement('label');
      label.className = 'slider';
      label.innerHTML = '<span class="name"></span><output></output>' +
        '<input type="range"><small></small><small></small>';
      label.querySelector('.name').textContent = text;
      const [left, right] = label.querySelectorAll('small');
      left.textContent = low;
      right.textContent = high;
      for (const end of [left, right]) end.setAttribute('aria-hidden', 'true');
      const input = label.querySelector('input');
      Object.assign(input, { name, min: kind.min, max: kind.max,
        step: kind.step });
      input.setAttribute('aria-label', text);
      input.addEventListener('input', () => {
        this.show(name);
        onChange();
      });
      this.inputs[name] = input;
      parent.append(label);
    }
    this.reset();
  }

  reset() {
    for (const [name, input] of Object.entries(this.inputs)) {
      input.value = this.kinds[name].start;
      this.show(name);
    }
  }

  show(name) {
    const input = this.inputs[name];
    const text = this.kinds[name].text(Number(input.value));
    input.parentElement.querySelector('output').textContent = text;
    input.setAttribute('aria-valuetext', text);
  }

  // Only what was changed: the server knows the rest.
  options() {
    const changed = [];
    for (const [name, input] of Object.entries(this.inputs)) {
      const kind = this.kinds[name];
      if (Number(input.value) !== kind.start) {
        changed.push(...Object.entries(kind.options(Number(input.value))));
      }
    }
    return changed;
  }
}
