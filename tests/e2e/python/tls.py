"""Certificates for tests, and an HTTP proxy that understands CONNECT."""
import os
import socket
import subprocess
import threading


def openssl(*arguments):
    subprocess.run(['openssl', *arguments], check=True, stdin=subprocess.DEVNULL, capture_output=True)


class Authority:
    """A certificate authority in a folder."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.key = os.path.join(folder, f'{name}.key')
        self.cert = os.path.join(folder, f'{name}.pem')
        openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                '-subj', f'/CN={name}', '-keyout', self.key, '-out', self.cert,
                '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign')

    def leaf(self, name, names, days=2):
        """(certificate, key) for e.g. 'DNS:localhost,IP:127.0.0.1'."""
        base = os.path.join(self.folder, name)
        with open(base + '.ext', 'w', encoding='utf-8') as file:
            file.write(f'subjectAltName={names}\nbasicConstraints=CA:FALSE\n')
        openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', f'/CN={name}',
                '-keyout', base + '.key', '-out', base + '.csr')
        openssl('x509', '-req', '-in', base + '.csr', '-CA', self.cert, '-CAkey', self.key, '-CAcreateserial',
                '-days', str(days), '-extfile', base + '.ext', '-out', base + '.crt')
        return base + '.crt', base + '.key'


class Proxy:
    """Tunnels CONNECT; `asked` lists the targets. `refuse`: a status instead of a tunnel. `port`: of this machine, where all
    tunnels lead whatever they ask for."""

    def __init__(self, refuse=None, credentials=None, port=None):
        self.refuse, self.credentials, self.everywhere = refuse, credentials, port
        self.asked = []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        head = b''
        while b'\r\n\r\n' not in head:
            part = client.recv(4096)
            if not part:
                return
            head += part
        method, target = head.split(b' ')[:2]
        self.asked.append((method.decode(), target.decode()))
        refuse = self.refuse
        if self.credentials and f'Proxy-Authorization: Basic {self.credentials}'.lower() not in head.decode().lower():
            refuse = 407
        if refuse:
            client.sendall(f'HTTP/1.1 {refuse} No\r\nContent-Length: 2\r\n\r\nno'.encode())
            client.close()
            return
        host, _, port = target.decode().rpartition(':')
        if self.everywhere or host == 'provider.test':
            host = '127.0.0.1'
        server = socket.create_connection((host, self.everywhere or int(port)))
        client.sendall(b'HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n')
        for a, b in ((client, server), (server, client)):
            threading.Thread(target=self.copy, args=(a, b), daemon=True).start()

    @staticmethod
    def copy(source, target):
        try:
            while part := source.recv(65536):
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()
