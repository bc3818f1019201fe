// The page of a live room: room.js speaks with Magpie, show.js shows, player.js plays, and this file joins them.
import { play, stop } from './player.js';
import { Room } from './room.js';
import { at, showGift, showLikes, showList, showMembers, showSaid, showTip } from './show.js';

const countEvery = 3_000; // milliseconds
const gatherFor = 700; // clicks of so long become one request

let session;
let room;
let looking; // the timer of look
let over = false; // the page is not in the room any more, and does not come back
let picture; // the address of what is played

// ask asks the room's back end, and throws what it refuses.
async function ask(path, body) {
  const answer = await fetch(path, { method: 'POST', body: JSON.stringify({ ticket: session?.ticket, ...body }) });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

const muted = 10017; // the code with which Magpie refuses what a muted member says

const complain = (error) => { at('trouble').textContent = error.code === muted ? 'You are muted.' : error.message; };

// attempt does what somebody asked for, and says why if it failed.
async function attempt(act) {
  at('trouble').textContent = '';
  try {
    await act();
  } catch (error) {
    complain(error);
  }
}

// gather calls act with the number of clicks of a moment, so that many clicks are one request.
function gather(button, act, onClick = () => {}) {
  let clicks = 0;
  button.addEventListener('click', () => {
    onClick();
    if ((clicks += 1) > 1) return;
    setTimeout(() => {
      const count = clicks;
      clicks = 0;
      attempt(() => act(count));
    }, gatherFor);
  });
}

const onSubmit = (form, act) => at(form).addEventListener('submit', (event) => { event.preventDefault(); attempt(act); });

async function comeIn(who) {
  session = await ask('/session', who);
  at('enter').hidden = true;
  at('room').hidden = false;
  at('host').hidden = !session.host;
  at('wallet').textContent = session.coins;
  at('ticket').value = session.ticket;
  room = new Room(session);
  hear();
  offerGifts();
  await room.login();
  at('text').focus();
}

function hear() {
  const on = (name, act) => room.addEventListener(name, ({ detail }) => act(detail));
  on('line', (word) => {
    if (over) return;
    at('line').textContent = word;
    if (word !== 'connected') return;
    look().catch(complain);
    looking ??= setInterval(() => look().catch(complain), countEvery);
  });
  on('title', (title) => { at('title').textContent = document.title = title; });
  on('notice', (text) => { at('notice').textContent = text; });
  on('said', showSaid);
  on('tip', showTip);
  on('like', showLikes);
  on('gift', async ({ from, gift, count }) => showGift(await room.nameOf(from), gift, count));
  on('winner', async ({ winner, prize }) => showTip(winner ? `${await room.nameOf(winner)} wins: ${prize}` : `Nobody wins: ${prize}`));
  on('state', showState);
  on('over', leave);
}

// showState shows what the room's attributes say.
function showState({ likes = 0, coins = 0, video = '', lottery = '', quiet = 'no' }) {
  at('likes').textContent = likes;
  at('coins').textContent = coins;
  if (video !== picture) showPicture(video);
  at('lottery').hidden = lottery === '';
  if (lottery !== '') {
    const { word, prize } = JSON.parse(lottery);
    at('lottery-text').textContent = `Say “${word}” to win: ${prize}`;
    at('take-part').dataset.word = word;
  }
  at('quiet').setAttribute('aria-pressed', String(quiet === 'yes'));
  at('text').disabled = quiet === 'yes' && !session.host;
  at('text').placeholder = at('text').disabled ? 'The host has muted everybody' : 'Say something';
}

// showPicture plays what is at an address, '' being nothing. Whether to try again is for who watches to say: pages that all try by
// themselves keep a media server that comes back from coming back.
function showPicture(address) {
  picture = address;
  const dark = (why) => {
    at('video').hidden = true;
    at('dark').hidden = false;
    at('why-dark').textContent = why;
    at('again').hidden = address === '';
  };
  if (address === '') dark('There is no picture now.');
  at('video').hidden = address === '';
  at('dark').hidden = address !== '';
  play(at('video'), address, session.ticket, dark);
}

// leave ends the page's part in the room.
function leave(why) {
  over = true;
  clearInterval(looking);
  stop(at('video'));
  for (const control of document.querySelectorAll('main button, main input')) control.disabled = true;
  at('line').textContent = why;
}

function offerGifts() {
  for (const [gift, price] of Object.entries(session.prices)) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = `${gift}, ${price} ${price === 1 ? 'coin' : 'coins'}`;
    gather(button, async (count) => { at('wallet').textContent = (await ask('/gift', { gift, count })).coins; });
    at('prices').append(button);
  }
}

// look asks for what nobody tells: how many are here, who, and for the host the statistics.
async function look() {
  at('count').textContent = await room.count();
  if (at('people').open) showMembers(await room.members(), buttonsFor);
  if (session.host && at('host').open) {
    const { inside, entries, figures } = await ask('/statistics', {});
    showList(at('figures'), { Inside: inside, 'Came in': figures.entered, Left: figures.left, Messages: figures.messages,
      Likes: figures.likes, Gifts: figures.gifts, Coins: figures.coins, 'In the lottery': entries });
  }
}

const act = (what) => ({ userID, name }) => attempt(async () => {
  await room[what](userID);
  showTip(what === 'ban' ? `You banned ${name} for an hour.` : `You muted ${name} for ten minutes.`);
  await look();
});

const buttonsFor = ({ userID }) => (session.host && userID !== session.userID ? { Mute: act('mute'), Ban: act('ban') } : {});

onSubmit('enter', () => comeIn({ name: at('name').value }));
onSubmit('say', async () => {
  const text = at('text').value.trim();
  if (text === '') return;
  await room.say(text);
  at('text').value = '';
});
onSubmit('set-notice', () => room.setNotice(at('new-notice').value));
onSubmit('set-lottery', () => ask('/lottery', { word: at('word').value, prize: at('prize').value }));
at('draw').addEventListener('click', () => attempt(() => ask('/lottery', { draw: true })));
at('take-part').addEventListener('click', ({ target }) => attempt(() => room.say(target.dataset.word)));
at('quiet').addEventListener('click', ({ target }) => attempt(() => room.muteAll(target.getAttribute('aria-pressed') !== 'true')));
at('again').addEventListener('click', () => { stop(at('video')); showPicture(picture); });
gather(at('like'), (count) => room.like(count), () => showLikes(1));
for (const details of ['people', 'host']) at(details).addEventListener('toggle', () => look().catch(complain));

const code = new URLSearchParams(location.hash.slice(1)).get('host');
if (code) {
  history.replaceState(null, '', '/'); // so that a picture of the page does not show it
  attempt(() => comeIn({ code }));
} else {
  at('name').focus();
}
