// The demo chat: two people, each with a chat with the other and a group that both are in.
import { Refused, Wire } from './wire.js';

const people = { anna: 'Anna', ben: 'Ben' };
const group = 'demo-group';
const groupExists = 10021;
const alreadyMember = 10013;
const framesKept = 100;
const typingShown = 5_000; // milliseconds
const typingEvery = 3_000;

const text = (value) => [{ MsgType: 'TIMTextElem', MsgContent: { Text: value } }];
const typingBody = [{
  MsgType: 'TIMCustomElem',
  MsgContent: { Data: JSON.stringify({ businessID: 'user_typing_status', typingStatus: 1, version: 1, userAction: 14, actionParam: 'EIMAMSG_InputStatus_Ing' }), Desc: '', Ext: '' },
}];
const isTyping = (message) => message.body[0]?.MsgType === 'TIMCustomElem' && message.body[0].MsgContent.Data.includes('user_typing_status');

// textOf is what is shown of a message.
function textOf(message) {
  if (message.recalled) return 'This message was recalled.';
  return message.body.map(({ MsgType, MsgContent }) => MsgContent.Text ?? `[${MsgType.replace(/^TIM|Elem$/g, '')}]`).join(' ');
}

// pictureOf is the small picture of a message that leads to the whole one; undefined when there is none that is this server's.
function pictureOf(message) {
  const all = message.body.find(({ MsgType }) => MsgType === 'TIMImageElem')?.MsgContent.ImageInfoArray ?? [];
  const address = (type) => all.find(({ Type }) => Type === type)?.URL ?? '';
  if (!address(1).startsWith(`${location.origin}/file/`)) return undefined;
  const [link, image] = [document.createElement('a'), document.createElement('img')];
  Object.assign(link, { href: address(1), target: '_blank', rel: 'noreferrer' });
  Object.assign(image, { src: address(3) || address(1), alt: 'A picture', loading: 'lazy' });
  link.append(image);
  return link;
}

// measure finds how large a picture is.
async function measure(file) {
  const image = await createImageBitmap(file).catch(() => { throw new Error('This file is no picture that the browser can show.'); });
  const { width, height } = image;
  image.close();
  return { width, height };
}

const clock = (time) => new Date(1000 * time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

// Shown is one chat of a person: what stands in it, and from where older messages come.
class Shown {
  messages = [];
  next = undefined;
  unread = 0;
  readUntil = 0;
}

class Person {
  constructor(name, peer) {
    this.name = name;
    this.peer = { name: peer, id: `demo-${peer}` };
    this.chats = { peer: new Shown(), group: new Shown() };
    this.current = 'peer';
    this.#build();
    this.wire = new Wire(location.origin.replace(/^http/, 'ws'), () => session(name));
    this.#listen();
    this.wire.open();
  }

  #build() {
    this.root = document.querySelector('#person').content.firstElementChild.cloneNode(true);
    const at = (selector) => this.root.querySelector(selector);
    this.at = {
      line: at('.line'), away: at('.away'), list: at('.messages'), earlier: at('.earlier'), typing: at('.typing'), form: at('form'),
      input: at('input[type=text]'), picture: at('.picture'), trouble: at('.trouble'), tabs: [...this.root.querySelectorAll('[role=tab]')],
    };
    this.root.dataset.name = this.name;
    this.root.setAttribute('aria-label', people[this.name]);
    at('h2').textContent = people[this.name];
    at('.face').textContent = people[this.name][0];
    at('.write').textContent = `Write as ${people[this.name]}`;
    this.at.input.id = `input-${this.name}`;
    at('.write').htmlFor = this.at.input.id;
    this.at.input.placeholder = `Write as ${people[this.name]}`;
    for (const tab of this.at.tabs) tab.addEventListener('click', () => this.choose(tab.dataset.chat));
    this.root.querySelector('.tabs').addEventListener('keydown', ({ key }) => {
      if (key !== 'ArrowLeft' && key !== 'ArrowRight') return;
      this.choose(this.current === 'peer' ? 'group' : 'peer');
      this.at.tabs.find((tab) => tab.dataset.chat === this.current).focus();
    });
    this.at.form.addEventListener('submit', (event) => { event.preventDefault(); this.#attempt(() => this.#send()); });
    this.at.input.addEventListener('input', () => this.#tellTyping());
    this.at.picture.setAttribute('aria-label', `Send a picture as ${people[this.name]}`);
    this.at.picture.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      this.at.picture.click();
    });
    this.at.picture.querySelector('input').addEventListener('change', ({ target }) => this.#attempt(async () => {
      const [file] = target.files;
      target.value = ''; // so that the same picture can be chosen again
      if (file) await this.#speak(await this.wire.upload(file, await measure(file)));
    }));
    this.at.earlier.addEventListener('click', () => this.#attempt(() => this.#older(this.current)));
    this.at.away.addEventListener('click', () => this.#toggle());
    document.querySelector('#people').append(this.root);
    this.#showTabs();
  }

  #listen() {
    const on = (name, act) => this.wire.addEventListener(name, ({ detail }) => act(detail));
    on('line', (state) => this.#line(state));
    on('trouble', (why) => this.#say(why));
    on('message', (message) => this.#arrived('peer', message));
    on('group', (message) => { if (message.group === group) this.#arrived('group', message); });
    on('recalled', (what) => this.#recalled(what));
    on('read', ({ peer, time }) => {
      if (peer !== this.peer.id) return;
      this.chats.peer.readUntil = Math.max(this.chats.peer.readUntil, time);
      this.#show();
    });
    on('frame', (frame) => showFrame(this.name, frame));
  }

  async #line(state) {
    const words = { on: 'online', off: 'not connected', kicked: 'opened elsewhere' };
    this.root.dataset.line = state;
    this.at.line.textContent = words[state];
    this.at.away.textContent = state === 'on' ? 'Go offline' : 'Go online';
    if (state !== 'on') return;
    this.#say('');
    if (this.entered) {
      await this.#attempt(() => this.#missed());
      return;
    }
    await this.#attempt(async () => {
      await this.#older('peer');
      this.chats.peer.readUntil = await this.wire.readUntil(this.peer.id);
      await this.#join();
      await this.#older('group');
      this.entered = true;
      this.#show();
    });
  }

  // join makes the group, or enters the one that is there.
  async #join() {
    const unless = (code) => (error) => { if (!(error instanceof Refused) || error.code !== code) throw error; };
    await this.wire.call('group_open_http_svc.create_group', { Type: 'ChatRoom', Name: 'Demo', GroupId: group, Owner_Account: this.wire.user })
      .catch(unless(groupExists));
    await this.wire.call('group_open_http_svc.apply_join_group', { GroupId: group, ApplyMsg: '' }).catch(unless(alreadyMember));
  }

  // missed reads the group's newest messages again: those of the other person come with the pull that follows a login.
  async #missed() {
    const { messages } = await this.wire.groupHistory(group);
    const { group: chat } = this.chats;
    for (const message of messages) {
      const known = chat.messages.find(({ seq }) => seq === message.seq);
      if (known) known.recalled = message.recalled;
      else if (this.#note('group', message)) this.#arrived('group', message);
    }
    this.#show();
  }

  async #older(which) {
    const chat = this.chats[which];
    const { messages, next } = which === 'peer'
      ? await this.wire.history(this.peer.id, chat.next) : await this.wire.groupHistory(group, chat.next);
    const older = messages.filter((message) => this.#note(which, message)); // a pull or a push may have brought some before
    chat.messages.unshift(...older);
    chat.next = next;
    this.#show(chat.messages.length > older.length);
    this.#read();
  }

  // note has a message known, so that a push of it is not shown twice. It reports whether the message is new.
  #note(which, message) {
    return this.wire.once(which === 'peer' ? `${message.from} ${message.seq} ${message.random}` : `${group} ${message.seq}`);
  }

  #arrived(which, message) {
    if (isTyping(message)) {
      this.#showTyping();
      return;
    }
    const other = message.from === this.wire.user ? this.peer.id : message.from;
    if (which === 'peer' && other !== this.peer.id) return; // somebody else of this application writes
    const chat = this.chats[which];
    chat.messages.push(message);
    chat.messages.sort((x, y) => x.time - y.time || (which === 'group' ? x.seq - y.seq : 0));
    this.#showTyping(false);
    if (message.from !== this.wire.user && which !== this.current) chat.unread += 1;
    this.#show();
    this.#read();
  }

  #recalled(what) {
    const chat = what.group ? this.chats.group : this.chats.peer;
    const message = chat.messages.find(({ from, seq, random }) =>
      seq === what.seq && (what.group ? what.group === group : from === what.from && random === what.random));
    if (message) message.recalled = true;
    this.#show();
  }

  // read tells the server that what is shown was read.
  #read() {
    const chat = this.chats[this.current];
    const last = chat.messages.findLast(({ from }) => from !== this.wire.user);
    if (!last || document.hidden || chat.told >= last.time && this.current === 'peer') return;
    chat.told = last.time;
    (this.current === 'peer' ? this.wire.read(this.peer.id, last.time) : this.wire.readGroup(group, last.seq)).catch(() => { chat.told = 0; });
  }

  async #send() {
    const value = this.at.input.value.trim();
    if (value === '') return;
    await this.#speak(text(value));
    this.at.input.value = '';
    this.typedAt = 0; // a message ends the typing: what is typed now is of the next one
  }

  // speak sends elements into the chat that is shown.
  async #speak(elements) {
    const which = this.current;
    const message = which === 'peer' ? await this.wire.send(this.peer.id, elements) : await this.wire.sendToGroup(group, elements);
    this.#note(which, message);
    this.chats[which].messages.push(message);
    this.#show();
  }

  #tellTyping() {
    if (this.current !== 'peer' || this.typedAt > Date.now() - typingEvery) return;
    this.typedAt = Date.now();
    this.wire.send(this.peer.id, typingBody, { passing: true }).catch(() => {});
  }

  #showTyping(on = true) {
    clearTimeout(this.typingTimer);
    this.at.typing.textContent = on ? `${people[this.peer.name]} is typing…` : '';
    if (on) this.typingTimer = setTimeout(() => this.#showTyping(false), typingShown);
  }

  async #recall(message) {
    if (this.current === 'peer') await this.wire.recall(this.peer.id, message);
    else await this.wire.recallInGroup(group, message);
    message.recalled = true;
    this.#show();
  }

  #toggle() {
    if (this.root.dataset.line === 'on') this.wire.close();
    else this.wire.open();
  }

  async #attempt(act) {
    this.#say('');
    try {
      await act();
    } catch (error) {
      this.#say(error.message);
    }
  }

  #say(trouble) { this.at.trouble.textContent = trouble; }

  choose(which) {
    this.current = which;
    this.chats[which].unread = 0;
    this.#showTyping(false);
    this.#show();
    this.#read();
  }

  #showTabs() {
    for (const tab of this.at.tabs) {
      const { chat } = tab.dataset;
      const { unread } = this.chats[chat];
      tab.setAttribute('aria-selected', String(chat === this.current));
      tab.tabIndex = chat === this.current ? 0 : -1;
      tab.textContent = (chat === 'peer' ? people[this.peer.name] : 'Group') + (unread > 0 ? ` (${unread} new)` : '');
    }
  }

  #show(keepPlace = false) {
    this.#showTabs();
    const { list } = this.at;
    const fromEnd = list.scrollHeight - list.scrollTop;
    this.at.earlier.hidden = this.chats[this.current].next === undefined;
    list.setAttribute('aria-label', this.current === 'peer' ? `Messages with ${people[this.peer.name]}` : 'Messages of the group');
    list.replaceChildren(...this.chats[this.current].messages.map((message) => this.#item(message)));
    list.scrollTop = keepPlace ? list.scrollHeight - fromEnd : list.scrollHeight;
  }

  #item(message) {
    const item = document.createElement('li');
    const mine = message.from === this.wire.user;
    item.className = [mine ? 'mine' : 'theirs', message.recalled ? 'gone' : ''].join(' ');
    const said = document.createElement('p');
    const picture = message.recalled ? undefined : pictureOf(message);
    if (picture) said.append(picture);
    else said.textContent = textOf(message);
    const about = document.createElement('small');
    const read = mine && this.current === 'peer' && !message.recalled ? (message.time <= this.chats.peer.readUntil ? ' · read' : ' · sent') : '';
    const who = !mine && this.current === 'group' ? `${nameOf(message.from)} · ` : '';
    about.textContent = who + clock(message.time) + read;
    item.append(said, about);
    if (mine && !message.recalled) {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = 'Recall';
      button.setAttribute('aria-label', `Recall: ${textOf(message)}`);
      button.addEventListener('click', () => this.#attempt(() => this.#recall(message)));
      item.append(button);
    }
    return item;
  }
}

const nameOf = (user) => people[user.replace(/^demo-/, '')] ?? user;

async function session(name) {
  const answer = await fetch('/demo/session', { method: 'POST', body: JSON.stringify({ name }) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

// showFrame lists a frame, the newest first; heartbeats are left out.
function showFrame(name, { sent, command, body }) {
  if (command.startsWith('heartbeat.')) return;
  const item = document.createElement('li');
  const arrow = document.createElement('b');
  arrow.textContent = `${people[name]} ${sent ? '→ server' : '← server'} `;
  const details = document.createElement('details');
  const summary = document.createElement('summary');
  summary.append(arrow, command);
  const code = document.createElement('pre');
  details.append(summary, code);
  details.addEventListener('toggle', () => { code.textContent = JSON.stringify(body, null, 2); });
  item.append(details);
  const list = document.querySelector('#wire');
  list.prepend(item);
  while (list.children.length > framesKept) list.lastElementChild.remove();
}

new Person('anna', 'ben');
new Person('ben', 'anna');
