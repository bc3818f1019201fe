// What a client's SDK reported and no test has taken yet.
import assert from 'node:assert/strict';

// Events that come with every login or whenever a list is drawn again. A test may wait for them; left over, they are no
// surprise.
const ordinary = new Set([
  'LOADED', 'SYNCED', 'SDK_READY', 'NET_STATE_CHANGE', 'SERVER_CONFIG_UPDATED', 'CONVERSATION_LIST_UPDATED',
  'TOTAL_UNREAD_MESSAGE_COUNT_UPDATED', 'CONVERSATION_GROUP_LIST_UPDATED', 'GROUP_LIST_UPDATED', 'BLACKLIST_UPDATED',
  'FRIEND_LIST_UPDATED', 'FRIEND_GROUP_LIST_UPDATED', 'FRIEND_APPLICATION_LIST_UPDATED',
]);

// Events whose data is a list of things that each could have come alone; how the SDK bundles them is chance.
const lists = new Set([
  'MESSAGE_RECEIVED', 'MESSAGE_MODIFIED', 'MESSAGE_REVOKED', 'MESSAGE_READ_BY_PEER', 'MESSAGE_READ_RECEIPT_RECEIVED',
  'PROFILE_UPDATED',
]);

export class Inbox {
  #events = [];
  #waiting = [];

  constructor(name) {
    this.name = name;
  }

  put(event, data) {
    for (const one of lists.has(event) && Array.isArray(data) ? data : [data]) this.#putOne({ event, data: one });
  }

  #putOne(entry) {
    const index = this.#waiting.findIndex(({ wants }) => wants(entry));
    if (index < 0) {
      this.#events.push(entry);
      return;
    }
    const [{ resolve, timer }] = this.#waiting.splice(index, 1);
    clearTimeout(timer);
    resolve(entry.data);
  }

  take(event, suits = () => true, within = 10_000) {
    const wants = (entry) => entry.event === event && suits(entry.data);
    const index = this.#events.findIndex(wants);
    if (index >= 0) return Promise.resolve(this.#events.splice(index, 1)[0].data);
    const missing = new Error(`${this.name}: no ${event} within ${within} ms`);
    return new Promise((resolve, reject) => {
      const waiter = { wants, resolve };
      waiter.timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        missing.message += `; not taken: ${this.#describe(this.#events)}`;
        reject(missing);
      }, within);
      this.#waiting.push(waiter);
    });
  }

  left(event) {
    return this.#events.filter((entry) => entry.event === event).map(({ data }) => data);
  }

  assertEmpty() {
    const surprises = this.#events.filter(({ event }) => !ordinary.has(event));
    assert.equal(surprises.length, 0, `${this.name} got more than was expected: ${this.#describe(surprises)}`);
  }

  #describe(events) {
    const most = 300;
    return events.filter(({ event }) => event !== 'LOADED')
      .map(({ event, data }) => `${event} ${JSON.stringify(data)?.slice(0, most) ?? ''}`).join('\n  ') || 'nothing';
  }
}
