// Takes photos and films, and has photos coloured one after the other.

import { Film, isFilm } from './film.js';
import { Photo } from './photo.js';
import { readOptions } from './server.js';

const list = document.getElementById('photos');
const status = document.getElementById('status');
const progress = document.getElementById('progress');
const input = document.getElementById('files');
const all = document.getElementById('all');
const again = document.getElementById('again');

let options; // promise of the server's
let photos = [];
const waiting = [];
let done = 0;
let running = false;

function tell(text) {
  status.textContent = text;
}

function askOptions() {
  if (!options) {
    options = readOptions();
    options.catch(() => { options = undefined; });
  }
  return options;
}

function add(files) {
  if (!files.length) return;
  document.body.classList.add('has-photos');
  const added = [];
  for (const file of files) {
    const kind = isFilm(file) ? Film : Photo;
    const photo = new kind(file, list, tell);
    photos.push(photo);
    photo.element.addEventListener('changed', showButtons);
    photo.element.addEventListener('retry', () => start([photo]));
    added.push(photo);
  }
  start(added);
}

// The server has its own line for films, which take long.
function start(items) {
  for (const item of items) {
    if (item instanceof Film) colour(item);
    else waiting.push(item);
  }
  run();
}

async function colour(photo) {
  if (await photo.colour(askOptions()) && !photo.removed) {
    tell(`${photo.file.name} is coloured` +
      (waiting.length ? `, ${waiting.length} left` : ''));
  }
}

async function run() {
  if (running) return;
  running = true;
  while (waiting.length) {
    showProgress();
    const photo = waiting.shift();
    if (photo.removed) continue;
    await colour(photo);
    done += 1; // also what failed
  }
  running = false;
  done = 0;
  progress.hidden = true;
  showButtons();
}

function showButtons() {
  photos = photos.filter((photo) => !photo.removed);
  all.hidden = running || photos.filter((photo) => photo.done).length < 2;
  again.hidden = photos.filter((photo) => photo.again).length < 2;
}

all.addEventListener('click', async () => {
  const chosen = photos.filter((one) => one.done);
  let given = 0;
  for (const photo of chosen) given += await photo.download();
  tell(`${given} of ${chosen.length} photos were given to the browser. If ` +
    'it has saved fewer, allow this page to download several files.');
});

again.addEventListener('click', () => {
  for (const photo of photos.filter((one) => one.again)) photo.retry();
  if (again.hidden) document.getElementById('files').focus();
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
