"""HTTP/1.1 on sockets: what a connection receives and sends. Bytes are parsed by llhttp (``httptools``), never here."""
