// The picture beside the chat. Its address stands in the room's attribute "video". Whoever plays shows his ticket, and the media
// server asks the back end about it: some servers pass on the address's query, some a bearer token.
const gatherWithin = 1_000; // milliseconds

let connection;
let playing = '';

// play shows what is at an address: WebRTC by WHEP, or anything that the browser's <video> takes. '' is no picture. Why there is none
// after all, also later, is told to failed.
export async function play(video, address, ticket, failed) {
  if (address === playing) return;
  stop(video);
  playing = address;
  if (address === '') return;
  if (!URL.canParse(address)) {
    failed('The address of the picture is none.');
    return;
  }
  const at = new URL(address);
  at.searchParams.set('ticket', ticket);
  if (!/\/whep\/?$/.test(at.pathname)) {
    video.onerror = () => failed('The picture cannot be played.');
    video.src = at;
    return;
  }
  const peer = new RTCPeerConnection();
  connection = peer;
  const failedStill = (why) => { if (connection === peer) failed(why); }; // and not when something else is played by now
  peer.addEventListener('track', ({ streams: [stream] }) => { video.srcObject = stream; });
  peer.addEventListener('connectionstatechange', () => { if (peer.connectionState === 'failed') failedStill('The picture has stopped.'); });
  await whep(peer, at, ticket).catch((error) => failedStill(error.message));
}

// stop ends the picture.
export function stop(video) {
  playing = '';
  connection?.close();
  connection = undefined;
  video.onerror = null;
  video.srcObject = null;
  video.removeAttribute('src');
}

// whep offers to receive, and takes what the media server answers.
async function whep(peer, address, ticket) {
  for (const kind of ['video', 'audio']) peer.addTransceiver(kind, { direction: 'recvonly' });
  await peer.setLocalDescription(await peer.createOffer());
  await gathered(peer);
  const answer = await fetch(address, {
    method: 'POST', headers: { 'content-type': 'application/sdp', authorization: `Bearer ${ticket}` }, body: peer.localDescription.sdp,
  });
  if (!answer.ok) throw new Error(`The media server answers ${answer.status}.`);
  await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
}

// gathered waits for this side's addresses, which WHEP sends all at once.
function gathered(peer) {
  return new Promise((resolve) => {
    const look = () => { if (peer.iceGatheringState === 'complete') resolve(); };
    peer.addEventListener('icegatheringstatechange', look);
    setTimeout(resolve, gatherWithin);
    look();
  });
}
