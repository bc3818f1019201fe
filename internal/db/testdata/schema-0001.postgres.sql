
CREATE TABLE public.account (
    id bigint NOT NULL,
    app_id bigint NOT NULL,
    user_id text NOT NULL,
    nick text NOT NULL,
    face_url text NOT NULL,
    valid_after bigint NOT NULL,
    created_at bigint NOT NULL,
    deleted_at bigint NOT NULL
);

CREATE TABLE public.app (
    id bigint NOT NULL,
    secret text NOT NULL,
    public_key text NOT NULL,
    admins text NOT NULL,
    settings text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);

CREATE TABLE public.chat (
    id bigint NOT NULL,
    app_id bigint NOT NULL,
    low_id bigint NOT NULL,
    high_id bigint NOT NULL,
    last_sequence bigint NOT NULL,
    last_time bigint NOT NULL
);

CREATE TABLE public.conversation (
    owner_id bigint NOT NULL,
    chat_id bigint NOT NULL,
    peer_id bigint NOT NULL,
    unread bigint NOT NULL,
    read_time bigint NOT NULL,
    last_id bigint NOT NULL,
    last_time bigint NOT NULL,
    cleared bigint NOT NULL,
    uncounted bigint NOT NULL,
    listed boolean NOT NULL,
    changed_at bigint NOT NULL
);

CREATE TABLE public.device (
    account_id bigint NOT NULL,
    instance_id bigint NOT NULL,
    platform bigint NOT NULL,
    online_on bigint NOT NULL,
    node_started bigint NOT NULL,
    signature bigint NOT NULL,
    issued_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    revoked bigint NOT NULL,
    changed_at bigint NOT NULL
);

CREATE TABLE public.lease (
    name text NOT NULL,
    holder bigint NOT NULL,
    until bigint NOT NULL
);

CREATE TABLE public.message (
    id bigint NOT NULL,
    chat_id bigint NOT NULL,
    sequence bigint NOT NULL,
    sent_at bigint NOT NULL,
    from_id bigint NOT NULL,
    msg_seq bigint NOT NULL,
    msg_random bigint NOT NULL,
    key_time bigint NOT NULL,
    client_time bigint NOT NULL,
    flags bigint NOT NULL,
    hidden bigint NOT NULL,
    offline_until bigint NOT NULL,
    body text NOT NULL,
    cloud_data text NOT NULL,
    nick text NOT NULL,
    face_url text NOT NULL,
    revoker text NOT NULL,
    revoke_reason text NOT NULL,
    changed_at bigint NOT NULL,
    version bigint NOT NULL
);

CREATE TABLE public.migration (
    number bigint NOT NULL,
    applied_at bigint NOT NULL
);

CREATE TABLE public.node (
    id bigint NOT NULL,
    lease_until bigint NOT NULL,
    started_at bigint NOT NULL
);

CREATE TABLE public.profile (
    account_id bigint NOT NULL,
    tag text NOT NULL,
    value text NOT NULL,
    is_number boolean NOT NULL
);

CREATE TABLE public.secret (
    name text NOT NULL,
    value bytea NOT NULL
);

CREATE TABLE public.webhook_attempt (
    id bigint NOT NULL,
    app_id bigint NOT NULL,
    first_event bigint NOT NULL,
    last_event bigint NOT NULL,
    attempts text NOT NULL
);

CREATE TABLE public.webhook_event (
    id bigint NOT NULL,
    app_id bigint NOT NULL,
    hook text NOT NULL,
    command text NOT NULL,
    lane bigint NOT NULL,
    address text NOT NULL,
    platform text NOT NULL,
    body text NOT NULL,
    attempts bigint NOT NULL,
    since bigint NOT NULL,
    next_at bigint NOT NULL,
    dead_at bigint NOT NULL
);

CREATE TABLE public.webhook_outbox (
    id bigint NOT NULL,
    app_id bigint NOT NULL,
    hook text NOT NULL,
    last_id bigint NOT NULL,
    stored_at bigint NOT NULL,
    events bytea NOT NULL
);

INSERT INTO public.account VALUES (2471910333203183, 1400000001, 'administrator', '', '', 0, 1795805125228, 0);
INSERT INTO public.account VALUES (3806351593205981, 1400000001, 'bob', 'nick of bob', '', 0, 1795805125248, 0);
INSERT INTO public.account VALUES (3007320779132197, 1400000001, 'carol', 'nick of carol', '', 0, 1795805125258, 0);
INSERT INTO public.account VALUES (3118516700551309, 1400000001, 'alice', 'Alice 爱丽丝', 'https://example.org/a.png', 0, 1795805125247, 0);
INSERT INTO public.account VALUES (3799739367987822, 1400000001, 'dave', '', '', 1795805125, 1795805125274, 1795805125292);

INSERT INTO public.app VALUES (1400000001, 'magpietest-key', '', 'administrator', '{"webhook.commands":"C2C.CallbackAfterSendMsg","webhook.url":"http://127.0.0.1:1/hook"}', 1795805125211, 1795805125503);

INSERT INTO public.chat VALUES (252142788454391808, 1400000001, 3118516700551309, 3806351593205981, 5, 1795805125);
INSERT INTO public.chat VALUES (252142788521500672, 1400000001, 3007320779132197, 3806351593205981, 1, 1795805125);
INSERT INTO public.chat VALUES (252142792241848320, 1400000001, 3007320779132197, 3118516700551309, 1, 1795805126);

INSERT INTO public.conversation VALUES (3118516700551309, 252142788454391808, 3806351593205981, 1, 0, 252142788496334848, 1795805125, 0, 0, true, 1795805125364);
INSERT INTO public.conversation VALUES (3806351593205981, 252142788454391808, 3118516700551309, 1, 1795805125, 252142788496334848, 1795805125, 0, 0, true, 1795805125364);
INSERT INTO public.conversation VALUES (3007320779132197, 252142788521500672, 3806351593205981, 0, 0, 252142788521500673, 1795805125, 0, 0, true, 1795805125370);
INSERT INTO public.conversation VALUES (3806351593205981, 252142788521500672, 3007320779132197, 1, 0, 252142788521500673, 1795805125, 0, 0, true, 1795805125370);
INSERT INTO public.conversation VALUES (3007320779132197, 252142792241848320, 3118516700551309, 0, 0, 252142792241848321, 1795805126, 0, 0, true, 1795805126257);
INSERT INTO public.conversation VALUES (3118516700551309, 252142792241848320, 3007320779132197, 1, 0, 252142792241848321, 1795805126, 0, 0, true, 1795805126257);

INSERT INTO public.device VALUES (3118516700551309, 964844241, 7, 1, 1795805125200, 3824142463958669424, 1795805125, 1795808725, 0, 1795805125321);
INSERT INTO public.device VALUES (3806351593205981, 1766846799, 2, 1, 1795805125200, 2208354649693153769, 1795805125, 1795808725, 0, 1795805125352);

INSERT INTO public.lease VALUES ('webhook', 3217785223420311822, 0);

INSERT INTO public.message VALUES (252142788454391809, 252142788454391808, 1, 1795805125, 3118516700551309, 2323874975, 1367463273, 1795805125, 1795805125, 0, 0, 1796409925, '[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hello, bob"}}]', '', 'Alice 爱丽丝', 'https://example.org/a.png', '', '', 1795805125354, 0);
INSERT INTO public.message VALUES (252142788466974720, 252142788454391808, 2, 1795805125, 3806351593205981, 3530768068, 2842249924, 1795805125, 1795805125, 0, 0, 1796409925, '[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hello, alice; it''s fine"}}]', '', 'nick of bob', '', '', '', 1795805125357, 0);
INSERT INTO public.message VALUES (252142788475363328, 252142788454391808, 3, 1795805125, 3118516700551309, 3311673531, 3548301676, 1795805125, 1795805125, 32, 0, 1796409925, '[{"MsgType":"TIMTextElem","MsgContent":{"Text":"oops"}}]', '', 'Alice 爱丽丝', 'https://example.org/a.png', 'administrator', 'typo', 1795805125359, 0);
INSERT INTO public.message VALUES (252142788483751936, 252142788454391808, 4, 1795805125, 3118516700551309, 213737544, 1848701175, 1795805125, 1795805125, 0, 0, 1796409925, '[{"MsgType":"TIMTextElem","MsgContent":{"Text":"the"}}]', 'mine', 'Alice 爱丽丝', 'https://example.org/a.png', '', '', 1795805125362, 1);
INSERT INTO public.message VALUES (252142788496334848, 252142788454391808, 5, 1795805125, 3118516700551309, 960373577, 3978279383, 1795805125, 1795805125, 0, 0, 1796409925, '[{"MsgType":"TIMTextElem","MsgContent":{"Text":"not read yet"}}]', '', 'Alice 爱丽丝', 'https://example.org/a.png', '', '', 1795805125364, 0);
INSERT INTO public.message VALUES (252142788521500673, 252142788521500672, 1, 1795805125, 3007320779132197, 809456614, 1705622890, 1795805125, 1795805125, 0, 0, 1796409925, '[{"MsgType":"TIMTextElem","MsgContent":{"Text":"喜鹊\nsecond line; with a semicolon\n"}}]', '', 'nick of carol', '', '', '', 1795805125370, 0);
INSERT INTO public.message VALUES (252142792241848321, 252142792241848320, 1, 1795805126, 3007320779132197, 4001574856, 3175592611, 1795805126, 1795805126, 0, 0, 1796409926, '[{"MsgType":"TIMTextElem","MsgContent":{"Text":"nobody hears of this"}}]', '', 'nick of carol', '', '', '', 1795805126257, 0);

INSERT INTO public.migration VALUES (1, 1795805124783);

INSERT INTO public.node VALUES (1, 0, 1795805125200);

INSERT INTO public.profile VALUES (3118516700551309, 'Tag_Profile_IM_BirthDay', '19910325', true);
INSERT INTO public.profile VALUES (3118516700551309, 'Tag_Profile_IM_SelfSignature', 'it''s me', false);

INSERT INTO public.secret VALUES ('token', '\xa9a434b5b97a7731ae2df36b840a0c1fe4370f64a38ca43f41bf65dc5de711f4');

INSERT INTO public.webhook_attempt VALUES (252142792355094528, 1400000001, 252142792241848323, 252142792241848323, '[{"EventId":"252142792241848323","Number":1,"Hook":"","CallbackCommand":"C2C.CallbackAfterSendMsg","At":1795805126284,"Took":0,"Status":0,"Reply":"dial tcp 127.0.0.1:1: connect: connection refused"}]');

INSERT INTO public.webhook_event VALUES (252142792241848323, 1400000001, '', 'C2C.CallbackAfterSendMsg', 96345460853649416, '127.0.0.1', 'RESTAPI', '{"CallbackCommand":"C2C.CallbackAfterSendMsg","From_Account":"carol","To_Account":"alice","MsgSeq":4001574856,"MsgRandom":3175592611,"OnlineOnlyFlag":0,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"nobody hears of this"}}],"CloudCustomData":"","SendMsgResult":0,"ErrorInfo":"send msg succeed","MsgTime":1795805126,"MsgKey":"4001574856_3175592611_1795805126","MsgId":"3007320779132197-1795805126-3175592611","UnreadMsgNum":2,"EventTime":1795805126257}', 1, 1795805126257, 1795805127021, 0);

INSERT INTO public.webhook_outbox VALUES (252142792241848332, 1400000001, '', 252142792241848333, 1795805126257, '\x9a8081c493a2e5ff060e184332432e43616c6c6261636b416674657253656e644d7367093132372e302e302e3107524553544150495a7b2243616c6c6261636b436f6d6d616e64223a224332432e43616c6c6261636b416674657253656e644d7367222c2246726f6d5f4163636f756e74223a226361726f6c222c22546f5f4163636f756e74223a22616c696365227d');

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.app
    ADD CONSTRAINT app_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.chat
    ADD CONSTRAINT chat_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.conversation
    ADD CONSTRAINT conversation_pkey PRIMARY KEY (owner_id, chat_id);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_pkey PRIMARY KEY (account_id, instance_id);

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.node
    ADD CONSTRAINT node_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.profile
    ADD CONSTRAINT profile_pkey PRIMARY KEY (account_id, tag);

ALTER TABLE ONLY public.secret
    ADD CONSTRAINT secret_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.webhook_attempt
    ADD CONSTRAINT webhook_attempt_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhook_event
    ADD CONSTRAINT webhook_event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhook_outbox
    ADD CONSTRAINT webhook_outbox_pkey PRIMARY KEY (id);

CREATE UNIQUE INDEX account_name ON public.account USING btree (app_id, user_id);

CREATE INDEX account_robot ON public.account USING btree (app_id) WHERE (substr(user_id, 1, 5) = '@RBT#'::text);

CREATE UNIQUE INDEX chat_pair ON public.chat USING btree (low_id, high_id);

CREATE UNIQUE INDEX message_key ON public.message USING btree (chat_id, msg_seq, msg_random, key_time, from_id);

CREATE UNIQUE INDEX message_order ON public.message USING btree (chat_id, sent_at, sequence);

CREATE INDEX webhook_attempt_single ON public.webhook_attempt USING btree (first_event) WHERE (first_event = last_event);

CREATE INDEX webhook_event_order ON public.webhook_event USING btree (app_id, hook, dead_at, lane, id);

CREATE INDEX webhook_outbox_order ON public.webhook_outbox USING btree (app_id, hook, id);

