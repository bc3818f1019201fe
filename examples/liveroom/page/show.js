// What the page shows. Texts of others become text, never HTML.
const linesKept = 200;
const giftsShown = 4;
const giftFor = 5_000; // milliseconds
const heartsAtOnce = 12;

export const at = (id) => document.getElementById(id);

const element = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text }, more);

// later gathers what is to be shown until the browser paints, so that a hundred messages cost as much as one.
let waiting = [];
function later(item) {
  if (waiting.push(item) > 1) return;
  requestAnimationFrame(() => {
    const list = at('messages');
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    list.append(...waiting.slice(-linesKept));
    waiting = [];
    while (list.children.length > linesKept) list.firstElementChild.remove();
    if (atEnd) list.scrollTop = list.scrollHeight; // who reads what was said before is not taken away from it
  });
}

export function showSaid({ name, text, own }) {
  const item = element('li', '', { className: own ? 'own' : '' });
  item.append(element('b', name), text);
  later(item);
}

export function showTip(text) { later(element('li', text, { className: 'tip' })); }

// showGift adds to the line of the same giver and gift while it stands there, and begins another otherwise.
const gifts = new Map();
export function showGift(name, gift, count) {
  const key = JSON.stringify([name, gift]);
  let shown = gifts.get(key);
  if (!shown) {
    shown = { item: element('li', `${name} gives ${gift} `), number: element('b', ''), count: 0 };
    shown.item.append(shown.number);
    gifts.set(key, shown);
    at('gifts').append(shown.item);
    if (gifts.size > giftsShown) removeGift(gifts.keys().next().value);
  }
  shown.count += count;
  shown.number.textContent = `×${shown.count}`;
  clearTimeout(shown.timer);
  shown.timer = setTimeout(() => removeGift(key), giftFor);
}

function removeGift(key) {
  clearTimeout(gifts.get(key)?.timer);
  gifts.get(key)?.item.remove();
  gifts.delete(key);
}

// showLikes lets hearts rise: some of them, when many come.
export function showLikes(count) {
  for (let n = 0; n < Math.min(count, heartsAtOnce - at('hearts').children.length); n += 1) {
    const heart = element('span', '♥');
    at('hearts').append(heart);
    setTimeout(() => heart.remove(), 1_600);
  }
}

// showList fills a description list from names and numbers.
export function showList(list, numbers) {
  list.replaceChildren(...Object.entries(numbers).map(([name, number]) => {
    const pair = document.createElement('div');
    pair.append(element('dt', name), element('dd', String(number)));
    return pair;
  }));
}

// showMembers lists people, each with buttons: for a member, { name of a button: what it does with him }. The same list is not
// built again, as somebody may stand on one of its buttons.
let listed = '';
export function showMembers(members, buttonsFor) {
  if (JSON.stringify(members) === listed) return;
  listed = JSON.stringify(members);
  at('members').replaceChildren(...members.map((member) => {
    const item = document.createElement('li');
    item.append(element('span', member.name), ...Object.entries(buttonsFor(member)).map(([word, act]) => {
      const button = element('button', word, { type: 'button' });
      button.setAttribute('aria-label', `${word} ${member.name}`);
      button.addEventListener('click', () => act(member));
      return button;
    }));
    return item;
  }));
}
