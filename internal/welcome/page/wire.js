// A small client of the server: requests and pushes over one WebSocket in text frames, with a way back after a lost connection.
// docs/protocol/wire.md describes what it says.

const answerWithin = 15_000; // milliseconds
const aliveEvery = 10_000;
const longestPause = 5_000;
const duplicateOf = 500; // messages that are remembered, to show each once

// Refused is an answer with an error code.
export class Refused extends Error {
  constructor(body) {
    super(`${body.ErrorInfo || 'refused'} (${body.ErrorCode})`);
    this.code = body.ErrorCode;
  }
}

const random32 = () => crypto.getRandomValues(new Uint32Array(1))[0];
const now = () => Math.floor(Date.now() / 1000);

// Wire is one account's connection. It tells by events: "line" (detail: "on", "off", "kicked"), "message" and "group" (a message),
// "recalled" (its sender's sequence and random, or the group's sequence), "read" (a second), "frame" (what goes over the line).
export class Wire extends EventTarget {
  #url;
  #session; // asks for { sdkAppID, userID, userSig }
  #who;
  #user; // whose connection it is, also while #who is asked for anew
  #login; // the answer to the login; it lives longer than a connection
  #socket;
  #pending = new Map();
  #seq = random32() % 1_000_000;
  #messageSeq = random32() >>> 1;
  #cookie = '';
  #known = new Set();
  #pause = 0;
  #timers = new Set();
  #wanted = false;
  #kicked = false;
  #busy = false; // there is a connection, or one is on its way
  #retry; // the timer of the next one
  // A page is a device of its own, so that one that is opened later ends this one's login.
  #instance = Array.from({ length: 4 }, () => random32().toString(16).padStart(8, '0')).join('');

  constructor(url, session) {
    super();
    this.#url = url;
    this.#session = session;
  }

  get user() { return this.#user; }

  // open connects and logs in, at once where it waits to try again, and goes on trying until close.
  open() {
    this.#wanted = true;
    this.#kicked = false;
    if (!this.#busy) this.#connect();
  }

  close() {
    this.#wanted = false;
    this.#socket?.close();
  }

  async #connect() {
    clearTimeout(this.#retry);
    this.#busy = true;
    try {
      this.#who ??= await this.#session();
    } catch (error) {
      this.#tell('trouble', error.message);
      this.#lost();
      return;
    }
    if (!this.#wanted) {
      this.#busy = false;
      return;
    }
    const { sdkAppID, userID } = this.#who;
    this.#user = userID;
    const socket = new WebSocket(`${this.#url}/info?sdkappid=${sdkAppID}&instanceid=${this.#instance}&random=${Math.random()}&platform=7&sdkversion=3.6.6`);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onopen = () => this.#enter().catch((error) => this.#refusedLogin(error));
    socket.onclose = () => this.#lost();
  }

  #lost() {
    this.#busy = false;
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.clear();
    for (const { reject } of this.#pending.values()) reject(new Error('The connection was lost.'));
    this.#pending.clear();
    this.#tell('line', this.#kicked ? 'kicked' : 'off');
    if (this.#wanted) this.#again();
  }

  #again() {
    this.#pause = Math.min(longestPause, 2 * this.#pause + 200);
    this.#retry = setTimeout(() => { if (this.#wanted) this.#connect(); }, this.#pause * (0.5 + Math.random() / 2));
  }

  // enter logs in, by the session of before if there is one, and pulls what was missed: pushes wait on the server until then.
  async #enter() {
    const login = await this.call('im_open_status.wslogin', { State: 'Online', is_web_uniapp: 0, InstType: 0, CustomInfo: '' });
    this.#login = login;
    this.#pause = 0;
    this.#every(aliveEvery, () => this.call('heartbeat.alive', {}));
    this.#every(1000 * login.HelloInterval, () => this.call('im_open_status.wshello', {}));
    await this.#sync();
    this.#tell('line', 'on');
  }

  #every(milliseconds, ask) {
    this.#timers.add(setInterval(() => ask().catch(() => this.#socket?.close()), milliseconds));
  }

  #refusedLogin(error) {
    if (error instanceof Refused) {
      if (!this.#login) this.#tell('trouble', error.message);
      this.#login = undefined; // the session is over, or the signature: the next login is by a new one
      this.#who = undefined;
    }
    this.#socket?.close();
  }

  async #sync() {
    const fresh = this.#cookie === ''; // the first pull is a device's, who reads history instead
    let more = true;
    for (let pages = 0; more && pages < 20; pages += 1) {
      const page = await this.call('openim.getmsg',
        { Cookie: this.#cookie, SyncFlag: 0, NeedAbstract: 1, IsOnlineSync: 0, NeedSignaling: 1, NeedCachedMsg: 1 });
      this.#cookie = page.Cookie;
      more = page.MoreFlag === 1;
      for (const item of page.MsgList ?? []) if (!fresh) this.#take(item);
    }
  }

  // call sends a request and gives the body of its answer.
  call(command, body) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return Promise.reject(new Error('There is no connection.'));
    this.#seq += 1;
    const seq = this.#seq;
    const { sdkAppID, userID, userSig } = this.#who;
    const identity = this.#login
      ? { a2: this.#login.A2Key, tinyid: this.#login.TinyId, status_instid: this.#login.InstId }
      : { identifier: userID, usersig: userSig, status_instid: 0 };
    const frame = {
      head: { ver: 'v4', platform: 7, sdkappid: sdkAppID, contenttype: 'json', reqtime: now(), servcmd: command, seq, cs: 0, ...identity },
      body,
    };
    this.#tell('frame', { sent: true, command, body });
    this.#socket.send(JSON.stringify(frame));
    return new Promise((resolve, reject) => {
      const end = (how) => (what) => {
        clearTimeout(timer);
        this.#pending.delete(command + seq);
        how(what);
      };
      const timer = setTimeout(() => end(reject)(new Error('No answer came.')), answerWithin);
      this.#pending.set(command + seq, { resolve: end(resolve), reject: end(reject) });
    });
  }

  #receive({ head, body }) {
    this.#tell('frame', { sent: false, command: head.servcmd, body });
    const asked = this.#pending.get(head.servcmd + head.seq);
    if (asked) {
      if (body.ErrorCode) asked.reject(new Refused(body));
      else asked.resolve(body);
      return;
    }
    for (const item of body.EventArray ?? []) this.#event(item);
  }

  #event(item) {
    if (item.Flag === 1) this.#sync().catch(() => {});
    for (const message of item.C2cMsgArray ?? []) this.#take(message);
    for (const message of item.GroupMsgArray ?? []) this.#takeGroup(message);
    for (const tip of item.GroupTips ?? []) this.#groupTip(tip);
    for (const news of item.C2cNotifyMsgArray ?? []) this.#news(news);
  }

  // once reports whether a message has not been here before.
  once(key) {
    if (this.#known.has(key)) return false;
    this.#known.add(key);
    if (this.#known.size > duplicateOf) this.#known.delete(this.#known.values().next().value);
    return true;
  }

  #take(item) {
    for (const event of item.EventArray ?? []) this.#event(event);
    if (item.MsgBody && this.once(`${item.From_Account} ${item.MsgSeq} ${item.MsgRandom}`)) this.#tell('message', messageOf(item));
  }

  #takeGroup(item) {
    if (Array.isArray(item.MsgBody) && this.once(`${item.ToGroupId} ${item.MsgSeq}`)) this.#tell('group', messageOf(item));
  }

  #groupTip(tip) {
    for (const one of tip.MsgBody?.GroupWithdrawInfoArray ?? []) this.#tell('recalled', { group: one.GroupId, seq: one.MsgSeq });
  }

  #news(news) {
    for (const one of news.WithdrawC2cMsgNotify?.C2cWithdrawInfoArray ?? []) {
      this.#tell('recalled', { from: one.From_Account, seq: one.MsgSeq, random: one.MsgRandom });
    }
    for (const mark of news.C2cReadedReceipt?.UinPairReadArray ?? []) {
      this.#tell('read', { peer: news.C2cReadedReceipt.To_Account, time: mark.LastReadTime });
    }
    if (news.KickoutMsgNotify) {
      this.#wanted = false;
      this.call('im_open_status.wslogout', { wslogout_type: 1, is_web_uniapp: 0 }).catch(() => {}).finally(() => this.#socket.close());
      this.#login = undefined;
      this.#cookie = '';
      this.#kicked = true;
    }
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  // send sends a text, or with passing a body that only who is online gets; it gives the message as history would.
  async send(to, elements, { passing = false } = {}) {
    this.#messageSeq += 1;
    const message = { From_Account: this.user, To_Account: to, MsgSeq: this.#messageSeq, MsgRandom: random32() >>> 1, MsgClientTime: now(), MsgBody: elements };
    const body = { ...message, CloudCustomData: '', SendMsgControl: passing ? ['NoUnread', 'NoLastMsg'] : [], ...(passing && { MsgLifeTime: 0 }) };
    const { MsgTime } = await this.call('openim.sendmsg', body);
    return messageOf({ ...message, MsgTimeStamp: MsgTime });
  }

  async sendToGroup(group, elements) {
    const message = { From_Account: this.user, GroupId: group, Random: random32() >>> 1, MsgBody: elements, MsgClientTime: now() };
    const { MsgSeq, MsgTime } = await this.call('group_open_http_svc.send_group_msg', { ...message, MsgPriority: 'Normal', OnlineOnlyFlag: 0 });
    this.once(`${group} ${MsgSeq}`);
    return messageOf({ ...message, MsgSeq, MsgTimeStamp: MsgTime });
  }

  // upload stores a picture and gives the element that shows it: the picture, and two smaller ones that the server makes.
  async upload(file, { width, height }) {
    const ending = /\.[a-z0-9]+$/i.exec(file.name)?.[0].toLowerCase() ?? '';
    const name = Array.from({ length: 4 }, () => random32().toString(16).padStart(8, '0')).join('') + ending;
    const to = await this.call('im_cos_msg.pre_sig', { file_type: 1, file_name: name, upload_method: 0, Duration: 900 });
    const answer = await fetch(to.upload_url, { method: 'PUT', body: file, headers: { 'Content-Type': file.type } });
    if (answer.status !== 200) throw new Error(await answer.text());
    const sizes = [[1, to.download_url], [2, to.large_url ?? to.download_url], [3, to.thumb_url ?? to.download_url]];
    const info = ([type, url]) => ({ Type: type, Size: file.size, Width: width, Height: height, URL: url });
    return [{ MsgType: 'TIMImageElem', MsgContent: { UUID: name, ImageFormat: 255, ImageInfoArray: sizes.map(info) } }];
  }

  recall(peer, message) {
    return this.call('openim.msgwithdraw', {
      MsgInfo: { From_Account: this.user, To_Account: peer, MsgTimeStamp: message.time, MsgSeq: message.seq, MsgRandom: message.random },
    });
  }

  recallInGroup(group, message) {
    return this.call('group_open_http_svc.group_msg_recall', { GroupId: group, TopicId: '', MsgSeqList: [{ MsgSeq: message.seq }] });
  }

  // history gives a page of older messages, oldest first, and the cursor of the page before it; no cursor when there is none.
  async history(peer, cursor = { LastMsgTime: 0, MsgKey: '' }) {
    const page = await this.call('openim.getroammsg', { Peer_Account: peer, MaxCnt: 15, WithRecalledMsg: 1, GetDirection: 0, ...cursor });
    const [messages, next] = [page.MsgList.map(messageOf), { LastMsgTime: page.LastMsgTime, MsgKey: page.MsgKey }];
    return { messages, next: page.Complete === 1 ? undefined : next };
  }

  async groupHistory(group, cursor = {}) {
    const page = await this.call('group_open_http_svc.group_msg_get', { GroupId: group, ReqMsgNumber: 15, WithRecalledMsg: 1, ...cursor });
    const messages = (page.RspMsgList ?? []).filter((item) => Array.isArray(item.MsgBody) || item.IsPlaceMsg === 2).map(messageOf).reverse();
    return { messages, next: page.IsFinished === 2 || page.NextReqMsgSeq < 1 ? undefined : { ReqMsgSeq: page.NextReqMsgSeq } };
  }

  async readUntil(peer) {
    const { ReadTime } = await this.call('openim.get_peer_read_time', { To_Account: [peer] });
    return ReadTime[0] ?? 0;
  }

  read(peer, time) {
    return this.call('openim.msgreaded', { C2CMsgReaded: { Cookie: '', C2CMsgReadedItem: [{ To_Account: peer, LastedMsgTime: time, Receipt: 1 }] } });
  }

  readGroup(group, seq) {
    return this.call('group_open_http_svc.msg_read_report', { GroupId: group, MsgReadedSeq: seq });
  }
}

const recalledFlag = 8;

// messageOf reads a message of a push, of a page of history or of a send.
function messageOf(item) {
  return {
    from: item.From_Account,
    group: item.ToGroupId ?? item.GroupId,
    seq: item.MsgSeq,
    random: item.MsgRandom ?? item.Random,
    time: item.MsgTimeStamp ?? item.MsgTime,
    body: Array.isArray(item.MsgBody) ? item.MsgBody : [],
    recalled: Boolean(item.MsgFlagBits & recalledFlag) || item.IsPlaceMsg === 2,
  };
}
