# nginx's test suite is not in Debian's source. What runs are the steps of debian/tests/generic (a page after the start, after a reload,
# after a restart), with the dynamic modules loaded, and requests to what has a library or a module of its own behind it.
source=nginx
needs='libgeoip-dev libpcre2-dev libperl-dev libssl-dev libxslt1-dev zlib1g-dev curl openssl'
suite='not in the source; the steps of debian/tests/generic, and requests to the modules: TLS, HTTP/2, gzip, PCRE, Perl, XSLT, mail, stream'

build() {
  ./configure --prefix="$place/www" --conf-path="$place/www/nginx.conf" --error-log-path=stderr --modules-path="$place/source/objs" \
    --with-cc-opt="$CFLAGS -fPIC $CPPFLAGS" --with-ld-opt="$LDFLAGS -fPIC" --with-compat --with-debug --with-pcre-jit \
    --with-http_ssl_module --with-http_stub_status_module --with-http_realip_module --with-http_auth_request_module \
    --with-http_v2_module --with-http_dav_module --with-http_slice_module --with-threads --with-http_addition_module \
    --with-http_flv_module --with-http_gunzip_module --with-http_gzip_static_module --with-http_mp4_module \
    --with-http_random_index_module --with-http_secure_link_module --with-http_sub_module --with-mail_ssl_module \
    --with-stream_ssl_module --with-stream_ssl_preread_module --with-stream_realip_module --with-http_geoip_module=dynamic \
    --with-http_perl_module=dynamic --with-http_xslt_module=dynamic --with-mail=dynamic --with-stream=dynamic --with-stream_geoip_module=dynamic
  make
}

# expect NAME TEXT CURL-ARGUMENTS...: what comes back has the text.
expect() {
  test=$1 text=$2
  shift 2
  curl -sk --max-time 20 "$@" 2>&1 | grep -q "$text" && echo "pass $test" || echo "fail $test"
}

check() {
  mkdir -p "$place/www/logs" "$place/www/html"
  cp -r conf/mime.types html "$place/www/"
  printf '<a><b>from xml</b></a>' > "$place/www/html/page.xml"
  printf '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/">said: <xsl:value-of select="//b"/></xsl:template></xsl:stylesheet>' > "$place/www/page.xslt"
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$place/www/key.pem" -out "$place/www/cert.pem" -subj /CN=localhost -days 2 2>/dev/null
  cat > "$place/www/nginx.conf" <<E
$(for module in objs/*_module.so; do case $module in objs/ngx_stream_geoip*) ;; *) echo "load_module $place/source/$module;" ;; esac; done)
load_module $place/source/objs/ngx_stream_geoip_module.so;
pid $place/www/logs/nginx.pid;
worker_processes 2;
events {}
stream { server { listen 127.0.0.1:18081; proxy_pass 127.0.0.1:18080; } }
mail { auth_http 127.0.0.1:18080/auth; server { listen 127.0.0.1:18082; protocol imap; } }
http {
  include mime.types;
  perl_modules $place/source/objs/src/http/modules/perl/blib/lib;
  perl_modules $place/source/objs/src/http/modules/perl/blib/arch;
  client_body_temp_path $place/www/body;
  server {
    listen 127.0.0.1:18080;
    listen 127.0.0.1:18443 ssl http2;
    ssl_certificate cert.pem;
    ssl_certificate_key key.pem;
    gzip on; gzip_min_length 1; gzip_types text/plain;
    root html;
    location = /status { stub_status; }
    location = /page.xml { xslt_stylesheet page.xslt; }
    location ~ ^/regex/(?<word>[a-z]+)[0-9]+\$ { return 200 "word \$word"; }
    location = /perl { perl 'sub { my \$r = shift; \$r->send_http_header("text/plain"); \$r->print("perl says ", 6 * 7); return OK; }'; }
    location /put/ { dav_methods PUT DELETE; create_full_put_path on; }
    location /proxy/ { proxy_pass https://127.0.0.1:18443/; }
    location = /sub { default_type text/plain; sub_filter_types *; sub_filter dull bright; proxy_pass http://127.0.0.1:18080/dull; }
    location = /dull { return 200 "a dull page"; }
  }
}
E
  nginx="$PWD/objs/nginx -c $place/www/nginx.conf"
  $nginx -t && echo pass configuration || echo fail configuration
  $nginx
  sleep 1
  expect start 'Welcome to nginx' http://127.0.0.1:18080/
  expect tls 'Welcome to nginx' --http1.1 https://127.0.0.1:18443/
  expect http2 '^HTTP/2 200' --http2 -I https://127.0.0.1:18443/
  expect gzip 'Content-Encoding: gzip' -H 'Accept-Encoding: gzip' -D - -o /dev/null http://127.0.0.1:18080/
  expect gunzip 'Welcome to nginx' --compressed http://127.0.0.1:18080/
  expect regex 'word abc' http://127.0.0.1:18080/regex/abc123
  expect perl 'perl says 42' http://127.0.0.1:18080/perl
  expect xslt 'said: from xml' http://127.0.0.1:18080/page.xml
  expect status 'Active connections' http://127.0.0.1:18080/status
  expect proxy 'Welcome to nginx' http://127.0.0.1:18080/proxy/
  expect sub 'a bright page' http://127.0.0.1:18080/sub
  expect stream 'Welcome to nginx' http://127.0.0.1:18081/
  expect mail 'IMAP4 ready' telnet://127.0.0.1:18082 -m 2
  expect put '^201$' -T LICENSE -o /dev/null -w '%{http_code}\n' http://127.0.0.1:18080/put/file
  $nginx -s reload
  sleep 1
  expect reload 'Welcome to nginx' http://127.0.0.1:18080/
  $nginx -s quit
  sleep 2
  $nginx
  sleep 1
  expect restart 'Welcome to nginx' http://127.0.0.1:18080/
  $nginx -s stop
}

results() { grep -E '^(pass|fail) ' "$place/check.log"; }
