/** libtorrent by its Python binding. */
import { python } from '../harness/libtorrent';
import type { Job, Partner } from './partner';
import { ScriptPartner } from './script-partner';

const script = `
import json, libtorrent, sys, time
orders = json.loads(sys.argv[1])
tcp, utp = not orders['utp'], orders['utp']
policy = 0 if orders['encrypted'] else 2
session = libtorrent.session({
    'listen_interfaces': '127.0.0.1:%d' % orders['port'],
    'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
    'enable_incoming_tcp': tcp, 'enable_outgoing_tcp': tcp,
    'enable_incoming_utp': utp, 'enable_outgoing_utp': utp,
    'in_enc_policy': policy, 'out_enc_policy': policy, 'allowed_enc_level': 2,
    'allow_multiple_connections_per_ip': True,
    'alert_mask': libtorrent.alert.category_t.all_categories,
})
source = orders['source']
if source.startswith('magnet:'):
    params = libtorrent.parse_magnet_uri(source)
else:
    params = libtorrent.add_torrent_params()
    params.ti = libtorrent.torrent_info(source)
params.trackers = []
params.save_path = orders['folder']
handle = session.add_torrent(params)
told = False
while True:
    status = handle.status()
    checking = status.state in (status.checking_files, status.checking_resume_data)
    if not told and not checking:
        told = True
        print('ready', flush=True)
        if 'peer' in orders: handle.connect_peer(('127.0.0.1', orders['peer']))
    if status.is_seeding:
        print('complete', flush=True)
        break
    for alert in session.pop_alerts():
        if 'peer' in alert.what() or 'error' in alert.what(): print(alert, flush=True)
    time.sleep(0.05)
while True: time.sleep(1)
`;

export const LibtorrentPartner = {
  create: (job: Job): Promise<Partner> =>
    ScriptPartner.of(job, { command: python, args: ['-c', script] }, true),
};
