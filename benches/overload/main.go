// A net/http server as it comes: a fixed body, plain and over TLS. Arguments: the file with the
// body, and the folder with the certificate. Ends when its input ends.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

func main() {
	body, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
	})
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	plain, tls := listen(), listen()
	certificate := filepath.Join(os.Args[2], "server.pem")
	key := filepath.Join(os.Args[2], "server.key")
	go server.Serve(plain)
	go server.ServeTLS(tls, certificate, key)
	fmt.Println(plain.Addr(), tls.Addr())
	io.Copy(io.Discard, os.Stdin)
}

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return listener
}
