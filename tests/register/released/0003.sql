BEGIN TRANSACTION;
CREATE TABLE actor (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	hub TEXT NOT NULL, 
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	organisation TEXT, 
	contact TEXT, 
	note TEXT, 
	withdrawn BOOLEAN NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "actor" VALUES('000000000001',2,'california','Port of Somewhere','port',NULL,NULL,NULL,1);
CREATE TABLE agreement (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	hub TEXT NOT NULL, 
	project TEXT, 
	title TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	community TEXT NOT NULL, 
	status TEXT NOT NULL, 
	signed_on TEXT, 
	ends_on TEXT, 
	terms TEXT, 
	source TEXT, 
	note TEXT, 
	withdrawn BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(project) REFERENCES project (id)
);
INSERT INTO "agreement" VALUES('000000000009',1,'california','california:T-1','Benefits','community_benefits','the town','in_talks',NULL,NULL,NULL,NULL,NULL,0);
CREATE TABLE agreement_step (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	hub TEXT NOT NULL, 
	project TEXT, 
	agreement TEXT NOT NULL, 
	what TEXT NOT NULL, 
	owner TEXT, 
	date TEXT NOT NULL, 
	status TEXT NOT NULL, 
	note TEXT, 
	withdrawn BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(project) REFERENCES project (id), 
	FOREIGN KEY(agreement) REFERENCES agreement (id)
);
INSERT INTO "agreement_step" VALUES('00000000000a',1,'california','california:T-1','000000000009','first hearing',NULL,'2026-05-01','planned',NULL,0);
CREATE TABLE answer (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	hub TEXT NOT NULL, 
	project TEXT, 
	contested_number TEXT NOT NULL, 
	what TEXT NOT NULL, 
	answered_by TEXT NOT NULL, 
	date TEXT NOT NULL, 
	changed BOOLEAN NOT NULL, 
	source TEXT, 
	note TEXT, 
	withdrawn BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(project) REFERENCES project (id), 
	FOREIGN KEY(contested_number) REFERENCES contested_number (id)
);
INSERT INTO "answer" VALUES('00000000000c',1,'california','california:T-1','00000000000b','from the filing','ann','2026-05-02',0,NULL,NULL,0);
CREATE TABLE commitment (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	hub TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	platform TEXT, 
	sector TEXT, 
	metric TEXT NOT NULL, 
	base_year BIGINT, 
	year BIGINT NOT NULL, 
	low DOUBLE, 
	value DOUBLE NOT NULL, 
	high DOUBLE, 
	unit TEXT NOT NULL, 
	asset_id TEXT, 
	source_id TEXT, 
	confidence TEXT, 
	note TEXT, 
	withdrawn BOOLEAN NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "commitment" VALUES('000000000008',1,'california','A company',NULL,NULL,'net_zero',NULL,2045,NULL,1.0,NULL,'1',NULL,NULL,NULL,NULL,0);
CREATE TABLE contested_number (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	hub TEXT NOT NULL, 
	project TEXT, 
	where_shown TEXT NOT NULL, 
	"key" TEXT, 
	shown TEXT NOT NULL, 
	claim TEXT NOT NULL, 
	raised_by TEXT NOT NULL, 
	status TEXT NOT NULL, 
	source TEXT, 
	note TEXT, 
	withdrawn BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(project) REFERENCES project (id)
);
INSERT INTO "contested_number" VALUES('00000000000b',1,'california','california:T-1','projects',NULL,'1 MUSD','too low','bob','open',NULL,NULL,0);
CREATE TABLE convening (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	hub TEXT NOT NULL, 
	project TEXT, 
	title TEXT NOT NULL, 
	date TEXT NOT NULL, 
	place TEXT, 
	purpose TEXT, 
	note TEXT, 
	withdrawn BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(project) REFERENCES project (id)
);
INSERT INTO "convening" VALUES('000000000002',1,'california','california:T-1','Spring meeting','2026-03-02',NULL,NULL,NULL,0);
CREATE TABLE decision (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	hub TEXT NOT NULL, 
	project TEXT, 
	convening TEXT, 
	gate TEXT, 
	what TEXT NOT NULL, 
	date TEXT NOT NULL, 
	decided_by TEXT NOT NULL, 
	note TEXT, 
	withdrawn BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(project) REFERENCES project (id), 
	FOREIGN KEY(convening) REFERENCES convening (id), 
	FOREIGN KEY(gate) REFERENCES gate (id)
);
INSERT INTO "decision" VALUES('000000000005',1,'california','california:T-1','000000000002','california:T-1:permit','share one pipe','2026-03-02','the group',NULL,0);
CREATE TABLE event (
	kind TEXT NOT NULL, 
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	action TEXT NOT NULL, 
	at TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	"before" TEXT NOT NULL, 
	"after" TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	source TEXT NOT NULL, 
	basis TEXT NOT NULL, 
	prev_hash TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (kind, id, version)
);
INSERT INTO "event" VALUES('project','california:T-1',1,'added','2026-01-01T00:00:01.000000+00:00','ann','{}','{"announced_year":null,"asset_id":null,"capacity":null,"capacity_of":null,"capacity_unit":null,"capex_usd":1000000.0,"capex_year":null,"city":null,"co2e_t_per_year":null,"confidence":null,"coord_precision":null,"county":null,"developer":null,"evidence_year":null,"funding_source":null,"gates_done":null,"hub":"california","lat":null,"lon":null,"name":"Trial kiln","note":null,"online_year":null,"owner":"ann","part_of":null,"private":false,"project_id":"T-1","public_funding_usd":null,"role":"abates","role_secondary":null,"sector":"cement","source_id":null,"stage":"announced","stage_as_published":null,"supplied_by":null,"technology":null,"technology_text":null,"withdrawn":false}','a letter came','letter of 2 March','asserted','','135284a89cb37abe7aadaac2838ac978aeefa2f307e7b42685ad297bd65a9ab7');
INSERT INTO "event" VALUES('gate','california:T-1:permit',1,'added','2026-01-01T00:00:02.000000+00:00','ann','{}','{"done_on":null,"due":null,"gate":"permit","hub":"california","note":null,"owner":null,"project":"california:T-1","status":"open","withdrawn":false}','a letter came','letter of 2 March','asserted','','be3f1b3229bb9f34569aef9802e95f17475ca70e6953924a68605680e1c21b6d');
INSERT INTO "event" VALUES('actor','000000000001',1,'added','2026-01-01T00:00:03.000000+00:00','ann','{}','{"contact":null,"hub":"california","kind":"port","name":"Port of Somewhere","note":null,"organisation":null,"withdrawn":false}','a letter came','letter of 2 March','asserted','','aab6091881178a40eafd2114cb90c45464ce7fabf0e8203c662146b1e309d22a');
INSERT INTO "event" VALUES('convening','000000000002',1,'added','2026-01-01T00:00:04.000000+00:00','ann','{}','{"date":"2026-03-02","hub":"california","note":null,"place":null,"project":"california:T-1","purpose":null,"title":"Spring meeting","withdrawn":false}','a letter came','letter of 2 March','asserted','','2a206716dd4f20f8b519d8e5e6ec3ade7cd30e8de3b8b5c5b5877aa5c16fe149');
INSERT INTO "event" VALUES('participant','000000000003',1,'added','2026-01-01T00:00:05.000000+00:00','ann','{}','{"actor":"000000000001","convening":"000000000002","hub":"california","name":"A. Person","note":null,"project":"california:T-1","role":"city","withdrawn":false}','a letter came','letter of 2 March','asserted','','6135f4907ea6a50f7e29f4013249982d7f62404678af1f13197ef5f17381d90f');
INSERT INTO "event" VALUES('pain_point','000000000004',1,'added','2026-01-01T00:00:06.000000+00:00','ann','{}','{"barrier":"permitting","convening":"000000000002","gate":"california:T-1:permit","hub":"california","note":null,"project":"california:T-1","raised_by":null,"what":"two agencies wait for each other","withdrawn":false}','a letter came','letter of 2 March','asserted','','bf01658cbad16721dab671a9c262f10cfd34089d199af6738714e7df439a240f');
INSERT INTO "event" VALUES('decision','000000000005',1,'added','2026-01-01T00:00:07.000000+00:00','ann','{}','{"convening":"000000000002","date":"2026-03-02","decided_by":"the group","gate":"california:T-1:permit","hub":"california","note":null,"project":"california:T-1","what":"share one pipe","withdrawn":false}','a letter came','letter of 2 March','asserted','','f4a150d277ffe451a4fe62b0eee8f16d396584778b2acb76770099944dd4c9e3');
INSERT INTO "event" VALUES('follow_up','000000000006',1,'added','2026-01-01T00:00:08.000000+00:00','ann','{}','{"convening":"000000000002","done_on":null,"due":"2026-04-01","gate":"california:T-1:permit","hub":"california","note":null,"owner":"ann","project":"california:T-1","status":"open","what":"write to the district","withdrawn":false}','a letter came','letter of 2 March','asserted','','ec0728e6d48ca775bdf404f9187a212f98b136fbf3c068921649f47bed83540c');
INSERT INTO "event" VALUES('evidence','000000000007',1,'added','2026-01-01T00:00:09.000000+00:00','ann','{}','{"about":null,"confidence":"seen","date":"2026-03-01","gate":"california:T-1:permit","hub":"california","note":null,"project":"california:T-1","source":"docket","what":"permit issued","withdrawn":false}','a letter came','letter of 2 March','asserted','','b50249cc67f16bd8ff92473e286c6978c8cf93aef2a8b7b8ee7d8d53dd18fb05');
INSERT INTO "event" VALUES('commitment','000000000008',1,'added','2026-01-01T00:00:10.000000+00:00','ann','{}','{"actor":"A company","asset_id":null,"base_year":null,"confidence":null,"high":null,"hub":"california","low":null,"metric":"net_zero","note":null,"platform":null,"sector":null,"source_id":null,"unit":"1","value":1.0,"withdrawn":false,"year":2045}','a letter came','letter of 2 March','asserted','','cc14815d8711bf0d786fc053b4cb6c11aee0acaeebb8ef49d4f42072396f9a1e');
INSERT INTO "event" VALUES('agreement','000000000009',1,'added','2026-01-01T00:00:11.000000+00:00','ann','{}','{"community":"the town","ends_on":null,"hub":"california","kind":"community_benefits","note":null,"project":"california:T-1","signed_on":null,"source":null,"status":"in_talks","terms":null,"title":"Benefits","withdrawn":false}','a letter came','letter of 2 March','asserted','','5af74eabad5ed2cb736adc0589ce9f7e77dabf186cd5696fd6d019fc3ef9fc1b');
INSERT INTO "event" VALUES('agreement_step','00000000000a',1,'added','2026-01-01T00:00:12.000000+00:00','ann','{}','{"agreement":"000000000009","date":"2026-05-01","hub":"california","note":null,"owner":null,"project":"california:T-1","status":"planned","what":"first hearing","withdrawn":false}','a letter came','letter of 2 March','asserted','','be586601549bb6062b5af719b37613f6b2037e3a736bb8788861059594e1b2d4');
INSERT INTO "event" VALUES('contested_number','00000000000b',1,'added','2026-01-01T00:00:13.000000+00:00','ann','{}','{"claim":"too low","hub":"california","key":null,"note":null,"project":"california:T-1","raised_by":"bob","shown":"1 MUSD","source":null,"status":"open","where_shown":"projects","withdrawn":false}','a letter came','letter of 2 March','asserted','','4f76b22e44f21118eaf363e3590c4989d9acc84860de223839c152ceb7ecee10');
INSERT INTO "event" VALUES('answer','00000000000c',1,'added','2026-01-01T00:00:14.000000+00:00','ann','{}','{"answered_by":"ann","changed":false,"contested_number":"00000000000b","date":"2026-05-02","hub":"california","note":null,"project":"california:T-1","source":null,"what":"from the filing","withdrawn":false}','a letter came','letter of 2 March','asserted','','3d8b3284da1ef50c8734d60eb0a28046b633fc7a68692a2597b4c3802d5ba66d');
INSERT INTO "event" VALUES('membership','california:bob:T-1',1,'added','2026-01-01T00:00:15.000000+00:00','ann','{}','{"hub":"california","login":"bob","note":null,"project":"california:T-1","role":"editor","withdrawn":false}','a letter came','letter of 2 March','asserted','','eb94a265da8efe8e21e561479103f0e18373fa92fbf30b81782a83d1748d22ce');
INSERT INTO "event" VALUES('project','california:T-1',2,'edited','2026-01-01T00:00:16.000000+00:00','bob','{"capex_usd":1000000.0,"city":null}','{"capex_usd":2500000.0,"city":"A\u00f1asco"}','a quote','mail of 3 March','inferred','135284a89cb37abe7aadaac2838ac978aeefa2f307e7b42685ad297bd65a9ab7','26c2745997a1d2d7ae23eb8947c59a50b67d5b15fb17bb7aa9149620301d0d5a');
INSERT INTO "event" VALUES('project','california:T-1',3,'edited','2026-01-01T00:00:17.000000+00:00','ann','{"stage":"announced"}','{"stage":"feed"}','contract signed','','asserted','26c2745997a1d2d7ae23eb8947c59a50b67d5b15fb17bb7aa9149620301d0d5a','060b0b1a4a8db0136cb11b931ead1b1e71fc986db7600482372aeae8e2d8f5f2');
INSERT INTO "event" VALUES('actor','000000000001',2,'withdrawn','2026-01-01T00:00:18.000000+00:00','ann','{"withdrawn":false}','{"withdrawn":true}','entered twice','','asserted','aab6091881178a40eafd2114cb90c45464ce7fabf0e8203c662146b1e309d22a','a502bc6d37786db8cd4039895d37c42ffb5f9be509d65787d34aa1493e69fbf2');
INSERT INTO "event" VALUES('project','california:T-1',4,'edited','2026-11-23T09:01:06.500228+00:00','ana','{"funding_cancelled":null}','{"funding_cancelled":true}','award cancelled','letter','asserted','060b0b1a4a8db0136cb11b931ead1b1e71fc986db7600482372aeae8e2d8f5f2','0d49cc380ec46c4e5f88ae5030761e10027b69bc75af8af5ebd8b8736df9aa3e');
INSERT INTO "event" VALUES('gate','california:T-1:permit',2,'edited','2026-01-01T00:00:20.000000+00:00','ana','{"begun_on":null}','{"begun_on":"2025-10-01"}','application filed','letter','asserted','be3f1b3229bb9f34569aef9802e95f17475ca70e6953924a68605680e1c21b6d','b12fa7b54e39a79675499cc17c7baf9911216c72c576f2cf83806bc0554bd6c8');
CREATE TABLE evidence (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	hub TEXT NOT NULL, 
	project TEXT, 
	gate TEXT, 
	about TEXT, 
	what TEXT NOT NULL, 
	date TEXT NOT NULL, 
	source TEXT NOT NULL, 
	confidence TEXT NOT NULL, 
	note TEXT, 
	withdrawn BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(project) REFERENCES project (id), 
	FOREIGN KEY(gate) REFERENCES gate (id)
);
INSERT INTO "evidence" VALUES('000000000007',1,'california','california:T-1','california:T-1:permit',NULL,'permit issued','2026-03-01','docket','seen',NULL,0);
CREATE TABLE follow_up (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	hub TEXT NOT NULL, 
	project TEXT, 
	convening TEXT, 
	gate TEXT, 
	what TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	due TEXT NOT NULL, 
	status TEXT NOT NULL, 
	done_on TEXT, 
	note TEXT, 
	withdrawn BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(project) REFERENCES project (id), 
	FOREIGN KEY(convening) REFERENCES convening (id), 
	FOREIGN KEY(gate) REFERENCES gate (id)
);
INSERT INTO "follow_up" VALUES('000000000006',1,'california','california:T-1','000000000002','california:T-1:permit','write to the district','ann','2026-04-01','open',NULL,NULL,0);
CREATE TABLE gate (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	hub TEXT NOT NULL, 
	project TEXT NOT NULL, 
	gate TEXT NOT NULL, 
	status TEXT NOT NULL, 
	owner TEXT, 
	due TEXT, 
	done_on TEXT, 
	note TEXT, 
	withdrawn BOOLEAN NOT NULL, begun_on TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(project) REFERENCES project (id)
);
INSERT INTO "gate" VALUES('california:T-1:permit',2,'california','california:T-1','permit','open',NULL,NULL,NULL,NULL,0,'2025-10-01');
CREATE TABLE membership (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	hub TEXT NOT NULL, 
	project TEXT, 
	login TEXT NOT NULL, 
	role TEXT NOT NULL, 
	note TEXT, 
	withdrawn BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(project) REFERENCES project (id)
);
INSERT INTO "membership" VALUES('california:bob:T-1',1,'california','california:T-1','bob','editor',NULL,0);
CREATE TABLE pain_point (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	hub TEXT NOT NULL, 
	project TEXT, 
	convening TEXT, 
	gate TEXT, 
	barrier TEXT NOT NULL, 
	what TEXT NOT NULL, 
	raised_by TEXT, 
	note TEXT, 
	withdrawn BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(project) REFERENCES project (id), 
	FOREIGN KEY(convening) REFERENCES convening (id), 
	FOREIGN KEY(gate) REFERENCES gate (id)
);
INSERT INTO "pain_point" VALUES('000000000004',1,'california','california:T-1','000000000002','california:T-1:permit','permitting','two agencies wait for each other',NULL,NULL,0);
CREATE TABLE participant (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	hub TEXT NOT NULL, 
	project TEXT, 
	convening TEXT NOT NULL, 
	actor TEXT, 
	name TEXT NOT NULL, 
	role TEXT NOT NULL, 
	note TEXT, 
	withdrawn BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(project) REFERENCES project (id), 
	FOREIGN KEY(convening) REFERENCES convening (id), 
	FOREIGN KEY(actor) REFERENCES actor (id)
);
INSERT INTO "participant" VALUES('000000000003',1,'california','california:T-1','000000000002','000000000001','A. Person','city',NULL,0);
CREATE TABLE project (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	hub TEXT NOT NULL, 
	project_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	developer TEXT, 
	sector TEXT NOT NULL, 
	technology_text TEXT, 
	technology TEXT, 
	asset_id TEXT, 
	city TEXT, 
	county TEXT, 
	lat DOUBLE, 
	lon DOUBLE, 
	coord_precision TEXT, 
	capacity DOUBLE, 
	capacity_unit TEXT, 
	capacity_of TEXT, 
	capex_usd DOUBLE, 
	capex_year BIGINT, 
	public_funding_usd DOUBLE, 
	funding_source TEXT, 
	announced_year BIGINT, 
	online_year BIGINT, 
	stage TEXT NOT NULL, 
	stage_as_published TEXT, 
	gates_done TEXT, 
	co2e_t_per_year DOUBLE, 
	role TEXT NOT NULL, 
	role_secondary TEXT, 
	part_of TEXT, 
	supplied_by TEXT, 
	evidence_year BIGINT, 
	source_id TEXT, 
	confidence TEXT, 
	note TEXT, 
	private BOOLEAN NOT NULL, 
	owner TEXT, 
	withdrawn BOOLEAN NOT NULL, funding_cancelled BOOLEAN, 
	PRIMARY KEY (id)
);
INSERT INTO "project" VALUES('california:T-1',4,'california','T-1','Trial kiln',NULL,'cement',NULL,NULL,NULL,'Añasco',NULL,NULL,NULL,NULL,NULL,NULL,NULL,2500000.0,NULL,NULL,NULL,NULL,NULL,'feed',NULL,NULL,NULL,'abates',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,'ann',0,1);
CREATE TABLE register_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT register_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "register_version" VALUES('0003');
CREATE INDEX ix_gate_project ON gate (project);
CREATE INDEX ix_convening_project ON convening (project);
CREATE INDEX ix_participant_project ON participant (project);
CREATE INDEX ix_participant_convening ON participant (convening);
CREATE INDEX ix_participant_actor ON participant (actor);
CREATE INDEX ix_pain_point_project ON pain_point (project);
CREATE INDEX ix_pain_point_convening ON pain_point (convening);
CREATE INDEX ix_pain_point_gate ON pain_point (gate);
CREATE INDEX ix_decision_project ON decision (project);
CREATE INDEX ix_decision_convening ON decision (convening);
CREATE INDEX ix_decision_gate ON decision (gate);
CREATE INDEX ix_follow_up_project ON follow_up (project);
CREATE INDEX ix_follow_up_convening ON follow_up (convening);
CREATE INDEX ix_follow_up_gate ON follow_up (gate);
CREATE INDEX ix_evidence_project ON evidence (project);
CREATE INDEX ix_evidence_gate ON evidence (gate);
CREATE INDEX ix_agreement_project ON agreement (project);
CREATE INDEX ix_agreement_step_project ON agreement_step (project);
CREATE INDEX ix_agreement_step_agreement ON agreement_step (agreement);
CREATE INDEX ix_contested_number_project ON contested_number (project);
CREATE INDEX ix_answer_project ON answer (project);
CREATE INDEX ix_answer_contested_number ON answer (contested_number);
CREATE INDEX ix_membership_project ON membership (project);
CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
CREATE TRIGGER project_insert BEFORE INSERT ON project WHEN NOT EXISTS (SELECT 1 FROM event WHERE kind = 'project' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER project_update BEFORE UPDATE ON project WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT EXISTS (SELECT 1 FROM event WHERE kind = 'project' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER project_delete BEFORE DELETE ON project BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END;
CREATE TRIGGER gate_insert BEFORE INSERT ON gate WHEN NOT EXISTS (SELECT 1 FROM event WHERE kind = 'gate' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER gate_update BEFORE UPDATE ON gate WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT EXISTS (SELECT 1 FROM event WHERE kind = 'gate' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER gate_delete BEFORE DELETE ON gate BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END;
CREATE TRIGGER actor_insert BEFORE INSERT ON actor WHEN NOT EXISTS (SELECT 1 FROM event WHERE kind = 'actor' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER actor_update BEFORE UPDATE ON actor WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT EXISTS (SELECT 1 FROM event WHERE kind = 'actor' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER actor_delete BEFORE DELETE ON actor BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END;
CREATE TRIGGER convening_insert BEFORE INSERT ON convening WHEN NOT EXISTS (SELECT 1 FROM event WHERE kind = 'convening' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER convening_update BEFORE UPDATE ON convening WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT EXISTS (SELECT 1 FROM event WHERE kind = 'convening' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER convening_delete BEFORE DELETE ON convening BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END;
CREATE TRIGGER participant_insert BEFORE INSERT ON participant WHEN NOT EXISTS (SELECT 1 FROM event WHERE kind = 'participant' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER participant_update BEFORE UPDATE ON participant WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT EXISTS (SELECT 1 FROM event WHERE kind = 'participant' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER participant_delete BEFORE DELETE ON participant BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END;
CREATE TRIGGER pain_point_insert BEFORE INSERT ON pain_point WHEN NOT EXISTS (SELECT 1 FROM event WHERE kind = 'pain_point' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER pain_point_update BEFORE UPDATE ON pain_point WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT EXISTS (SELECT 1 FROM event WHERE kind = 'pain_point' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER pain_point_delete BEFORE DELETE ON pain_point BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END;
CREATE TRIGGER decision_insert BEFORE INSERT ON decision WHEN NOT EXISTS (SELECT 1 FROM event WHERE kind = 'decision' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER decision_update BEFORE UPDATE ON decision WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT EXISTS (SELECT 1 FROM event WHERE kind = 'decision' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER decision_delete BEFORE DELETE ON decision BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END;
CREATE TRIGGER follow_up_insert BEFORE INSERT ON follow_up WHEN NOT EXISTS (SELECT 1 FROM event WHERE kind = 'follow_up' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER follow_up_update BEFORE UPDATE ON follow_up WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT EXISTS (SELECT 1 FROM event WHERE kind = 'follow_up' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER follow_up_delete BEFORE DELETE ON follow_up BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END;
CREATE TRIGGER evidence_insert BEFORE INSERT ON evidence WHEN NOT EXISTS (SELECT 1 FROM event WHERE kind = 'evidence' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER evidence_update BEFORE UPDATE ON evidence WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT EXISTS (SELECT 1 FROM event WHERE kind = 'evidence' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER evidence_delete BEFORE DELETE ON evidence BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END;
CREATE TRIGGER commitment_insert BEFORE INSERT ON commitment WHEN NOT EXISTS (SELECT 1 FROM event WHERE kind = 'commitment' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER commitment_update BEFORE UPDATE ON commitment WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT EXISTS (SELECT 1 FROM event WHERE kind = 'commitment' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER commitment_delete BEFORE DELETE ON commitment BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END;
CREATE TRIGGER agreement_insert BEFORE INSERT ON agreement WHEN NOT EXISTS (SELECT 1 FROM event WHERE kind = 'agreement' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER agreement_update BEFORE UPDATE ON agreement WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT EXISTS (SELECT 1 FROM event WHERE kind = 'agreement' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER agreement_delete BEFORE DELETE ON agreement BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END;
CREATE TRIGGER agreement_step_insert BEFORE INSERT ON agreement_step WHEN NOT EXISTS (SELECT 1 FROM event WHERE kind = 'agreement_step' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER agreement_step_update BEFORE UPDATE ON agreement_step WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT EXISTS (SELECT 1 FROM event WHERE kind = 'agreement_step' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER agreement_step_delete BEFORE DELETE ON agreement_step BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END;
CREATE TRIGGER contested_number_insert BEFORE INSERT ON contested_number WHEN NOT EXISTS (SELECT 1 FROM event WHERE kind = 'contested_number' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER contested_number_update BEFORE UPDATE ON contested_number WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT EXISTS (SELECT 1 FROM event WHERE kind = 'contested_number' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER contested_number_delete BEFORE DELETE ON contested_number BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END;
CREATE TRIGGER answer_insert BEFORE INSERT ON answer WHEN NOT EXISTS (SELECT 1 FROM event WHERE kind = 'answer' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER answer_update BEFORE UPDATE ON answer WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT EXISTS (SELECT 1 FROM event WHERE kind = 'answer' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER answer_delete BEFORE DELETE ON answer BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END;
CREATE TRIGGER membership_insert BEFORE INSERT ON membership WHEN NOT EXISTS (SELECT 1 FROM event WHERE kind = 'membership' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER membership_update BEFORE UPDATE ON membership WHEN NEW.id <> OLD.id OR NEW.version <> OLD.version + 1 OR NOT EXISTS (SELECT 1 FROM event WHERE kind = 'membership' AND id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'a record needs its event first'); END;
CREATE TRIGGER membership_delete BEFORE DELETE ON membership BEGIN SELECT RAISE(ABORT, 'records are withdrawn, never deleted'); END;
COMMIT;
