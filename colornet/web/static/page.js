// Takes photos, and has them coloured one after the other.

import { Photo } from './photo.js';
import { readOptions } from './server.js';

const list = document.getElementById('photos');
const status = document.getElementById('status');
const progress = document.getElementById('progress');
const input = document.getElementById('files');
const all = document.getElementById('all');

let options; // promise of the server's
const photos = [];
const waiting = [];
let done = 0;
let running = false;

function tell(text) {
  status.textContent = text;
}

async function add(files) {
  if (!files.length) return;
  document.body.classList.add('has-photos');
  let server;
  try {
    options = options || readOptions();
    server = await options;
  } catch (error) {
    options = undefined;
    tell(error.message);
    return;
  }
  const defaults = Object.fromEntries(
    server.options.map((option) => [option.name, option.default]));
  for (const file of files) {
    const photo = new Photo(file, list, defaults, tell);
    photos.push(photo);
    photo.element.addEventListener('removed', showAll);
    if (file.size > server.limits.bytes) {
      const limit = server.limits.bytes >> 20;
      photo.fail(new Error(`the file is larger than ${limit} MB`));
    } else {
      waiting.push(photo);
    }
  }
  run();
}

async function run() {
  if (running) return;
  running = true;
  while (waiting.length) {
    showProgress();
    const photo = waiting.shift();
    if (!photo.removed && await photo.colour() && !photo.removed) {
      done += 1;
      tell(`${photo.file.name} is coloured` +
        (waiting.length ? `, ${waiting.length} left` : ''));
    }
  }
  running = false;
  done = 0;
  progress.hidden = true;
  showAll();
}

function showAll() {
  all.hidden = photos.filter((photo) => photo.done).length < 2;
}

all.addEventListener('click', async () => {
  for (const photo of photos.filter((one) => one.done)) {
    await photo.download();
  }
});

function showProgress() {
  progress.hidden = done + waiting.length < 2;
  progress.max = done + waiting.length;
  progress.value = done;
}

input.addEventListener('change', () => {
  add([...input.files]);
  input.value = ''; // the same file may be chosen again
});

document.addEventListener('paste', (event) => add(
  [...event.clipboardData.files]));

// Beside the frame, too: a browser would leave the page for the photo.
let depth = 0;
const isFiles = (event) => event.dataTransfer &&
  [...event.dataTransfer.types].includes('Files');
document.addEventListener('dragenter', (event) => {
  if (!isFiles(event)) return;
  depth += 1;
  document.body.classList.add('dragging');
});
document.addEventListener('dragleave', () => {
  depth = Math.max(0, depth - 1);
  document.body.classList.toggle('dragging', depth > 0);
});
document.addEventListener('dragover', (event) => {
  if (isFiles(event)) event.preventDefault();
});
document.addEventListener('drop', (event) => {
  depth = 0;
  document.body.classList.remove('dragging');
  if (!isFiles(event)) return;
  event.preventDefault();
  add([...event.dataTransfer.files]);
});
