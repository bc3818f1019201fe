// Room is what the page does with the official SDK: it comes in, speaks, and hears. It tells by events, each with a detail:
// "line" (a word), "title" (the room's name), "said" ({ from, name, text, own }), "tip" (a sentence), "gift" ({ from, gift,
// count }), "winner" ({ winner, prize }), "like" (a number), "state" (the room's attributes), "notice" (a text), "over" (a sentence).
const { TencentCloudChat } = window;
const { EVENT, TYPES } = TencentCloudChat;

const likesAtOnce = 100; // that the back end believes
const muteFor = 600; // seconds
const banFor = 3600;

export class Room extends EventTarget {
  #chat;
  #session;
  #names = new Map();
  #attributes = {};
  #since = 0; // the second in which the page came in

  // session is what the back end gave.
  constructor(session) {
    super();
    this.#session = session;
    this.#chat = TencentCloudChat.create({ SDKAppID: session.sdkAppID, proxyServer: session.socket });
    this.#chat.setLogLevel(2);
    this.#listen();
  }

  get #id() { return this.#session.room; }

  #tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }

  #listen() {
    const on = (event, act) => this.#chat.on(event, ({ data }) => act(data));
    on(EVENT.SDK_READY, () => this.#enter().catch((error) => this.#tell('over', error.message)));
    on(EVENT.MESSAGE_RECEIVED, (messages) => messages.filter(({ to }) => to === this.#id).forEach((message) => this.#heard(message)));
    on(EVENT.NET_STATE_CHANGE, ({ state }) => this.#tell('line', state === TYPES.NET_STATE_CONNECTED ? 'connected' : 'connecting…'));
    on(EVENT.KICKED_OUT, () => this.#tell('over', 'The room was opened with this name elsewhere.'));
    on(EVENT.GROUP_ATTRIBUTES_UPDATED, ({ groupID, groupAttributes }) => { if (groupID === this.#id) this.#know(groupAttributes); });
  }

  login() { return this.#chat.login({ userID: this.#session.userID, userSig: this.#session.userSig }); }

  // enter comes into the room, and reads what newcomers have to know. After a long break it comes in again.
  async #enter() {
    this.#since = Math.floor(this.#chat.getServerTime() / 1000);
    await this.#chat.joinGroup({ groupID: this.#id, type: TYPES.GRP_AVCHATROOM });
    const { data: { group } } = await this.#chat.getGroupProfile({ groupID: this.#id });
    this.#tell('title', group.name);
    this.#tell('notice', group.notification);
    const { data } = await this.#chat.getGroupAttributes({ groupID: this.#id, keyList: [] });
    this.#know(data.groupAttributes);
    this.#tell('line', 'connected');
  }

  #know(attributes) {
    Object.assign(this.#attributes, attributes);
    this.#tell('state', this.#attributes);
  }

  // heard sorts what comes. Who enters is given what was said before: its texts are worth reading, its hearts and gifts are over.
  #heard({ type, from, nick, payload, time }) {
    if (type === TYPES.MSG_TEXT) this.#tell('said', { from, name: this.#name(from, nick), text: payload.text });
    if (type === TYPES.MSG_CUSTOM && time >= this.#since) this.#heardCustom(from, payload.data);
    if (type === TYPES.MSG_GRP_TIP) this.#heardTip(payload);
    if (type === TYPES.MSG_GRP_SYS_NOTICE) this.#heardNotice(payload);
  }

  // heardCustom believes gifts and winners of the house alone: anybody can send a message that looks like one.
  #heardCustom(from, text) {
    let data;
    try {
      data = JSON.parse(text);
    } catch {
      return; // of another program
    }
    if (data.businessID === 'like') this.#tell('like', Math.min(Math.max(Number(data.count) || 0, 0), likesAtOnce));
    if (from === this.#session.house && ['gift', 'winner'].includes(data.businessID)) this.#tell(data.businessID, data);
  }

  #heardTip({ operationType, memberList = [], newGroupProfile }) {
    const names = memberList.map(({ userID, nick }) => this.#name(userID, nick)).join(', ');
    if (operationType === TYPES.GRP_TIP_MBR_JOIN && names) this.#tell('tip', `${names} came in.`);
    if (operationType === TYPES.GRP_TIP_MBR_QUIT && names) this.#tell('tip', `${names} left.`);
    if (newGroupProfile?.notification !== undefined) this.#tell('notice', newGroupProfile.notification);
  }

  #heardNotice({ operationType }) {
    const why = { 4: 'You were taken out of the room.', 5: 'The room was closed.', 21: 'The host has banned you from the room.' }[operationType];
    if (why) this.#tell('over', why);
  }

  #name(userID, nick) {
    if (nick) this.#names.set(userID, nick);
    return this.#names.get(userID) ?? userID;
  }

  // nameOf asks for a name that has not come with anything yet.
  async nameOf(userID) {
    if (!this.#names.has(userID)) {
      const { data: [profile] } = await this.#chat.getUserProfile({ userIDList: [userID] });
      this.#name(userID, profile?.nick || userID);
    }
    return this.#names.get(userID);
  }

  async say(text) {
    const { data: { message } } = await this.#send('createTextMessage', TYPES.MSG_PRIORITY_NORMAL, { text });
    this.#tell('said', { from: message.from, name: this.#name(message.from, message.nick), text, own: true });
  }

  // like sends the likes of a moment as one message, of the lowest priority: it is dropped first when too much is said.
  like(count) {
    return this.#send('createCustomMessage', TYPES.MSG_PRIORITY_LOWEST,
      { data: JSON.stringify({ businessID: 'like', count: Math.min(count, likesAtOnce) }), description: '', extension: '' });
  }

  #send(create, priority, payload) {
    return this.#chat.sendMessage(this.#chat[create]({ to: this.#id, conversationType: TYPES.CONV_GROUP, priority, payload }));
  }

  async count() { return (await this.#chat.getGroupOnlineMemberCount(this.#id)).data.memberCount; }

  // members are the newest of those inside.
  async members() {
    const { data } = await this.#chat.getGroupMemberList({ groupID: this.#id, count: 30, offset: 0 });
    return data.memberList.map(({ userID, nick }) => ({ userID, name: this.#name(userID, nick) }));
  }

  // What follows is refused to everybody but the owner.

  setNotice(notification) { return this.#chat.updateGroupProfile({ groupID: this.#id, notification }); }

  // muteAll keeps everybody from speaking. Nobody is told of that by the group, so the room's attributes say it.
  async muteAll(quiet) {
    await this.#chat.updateGroupProfile({ groupID: this.#id, muteAllMembers: quiet });
    await this.#chat.setGroupAttributes({ groupID: this.#id, groupAttributes: { quiet: quiet ? 'yes' : 'no' } });
  }

  mute(userID) { return this.#chat.setGroupMemberMuteTime({ groupID: this.#id, userID, muteTime: muteFor }); }

  ban(userID) { return this.#chat.deleteGroupMember({ groupID: this.#id, userIDList: [userID], duration: banFor, reason: 'by the host' }); }
}
