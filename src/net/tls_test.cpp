// Goal: TLS works on both sides, and the client trusts only what it should. Method: certificates made here, with OpenSSL's own calls.
#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <filesystem>

#include "net/http_client.hpp"
#include "net/server_testing.hpp"

namespace volan::net::testing {
namespace {

/// Writes a self-signed certificate for `names` ("DNS:localhost,IP:127.0.0.1") and its key as PEM files.
void write_certificate(const std::string& names, const std::filesystem::path& certificate_file, const std::filesystem::path& key_file) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("volan test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  X509_set_pubkey(certificate.get(), key.get());
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str()),
                                                                                  &X509_EXTENSION_free);
  X509_add_ext(certificate.get(), extension.get(), -1);
  ASSERT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  const std::unique_ptr<FILE, decltype(&fclose)> out(fopen(certificate_file.c_str(), "w"), &fclose), key_out(fopen(key_file.c_str(), "w"), &fclose);
  PEM_write_X509(out.get(), certificate.get());
  PEM_write_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
}

core::Task<Response> echo(Request& request) { co_return Response::text(std::move(request.body)); }
core::Task<> write_two(BodyWriter& writer) {
  VOLAN_CO_TRY_VOID(co_await writer.write("one"));
  co_return co_await writer.write("two");
}
core::Task<Response> stream(Request&) { co_return Response::events(write_two); }

struct TlsTest : ::testing::Test, TestServer {
  std::filesystem::path folder;
  ClientOptions client_options;
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "volan-tls-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
    add(Verb::post, "/echo", echo);
    get("/stream", stream);
    client_options.tls_ca_file = folder / "cert.pem";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  void start_tls(const std::string& names) {
    options.tls_certificate_file = folder / "cert.pem";
    options.tls_key_file = folder / "key.pem";
    write_certificate(names, options.tls_certificate_file, options.tls_key_file);
    start();
  }
  core::Result<ClientResponse> send(ClientRequest request) {
    HttpClient client(pools, client_options);
    return run(pools, client.send(std::move(request)));
  }
  std::string url(std::string_view host, std::string_view path) { return "https://" + std::string(host) + ":" + std::to_string(port()) + std::string(path); }
};

TEST_F(TlsTest, CarriesRequestsAndStreams) {
  start_tls("DNS:localhost,IP:127.0.0.1");
  EXPECT_THAT(server->url(), ::testing::StartsWith("https://"));
  const std::string body(3u << 20, 'q');
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const auto response = send({.verb = Verb::post, .url = url(host, "/echo"), .body = body});
    ASSERT_TRUE(response) << core::to_text(response.error());
    EXPECT_EQ(response->body, body);
  }
  const auto streamed = send({.url = url("localhost", "/stream")});
  ASSERT_TRUE(streamed) << core::to_text(streamed.error());
  EXPECT_EQ(streamed->body, "onetwo");
}

TEST_F(TlsTest, TrustsNoUnknownAuthority) {
  start_tls("DNS:localhost");
  client_options.tls_ca_file.clear();
  const auto response = send({.url = url("localhost", "/stream")});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, core::ErrorCode::unavailable);
  EXPECT_THAT(response.error().message, ::testing::HasSubstr("TLS"));
}

TEST_F(TlsTest, TrustsNoCertificateOfAnotherHost) {
  start_tls("DNS:other.example");
  EXPECT_FALSE(send({.url = url("localhost", "/stream")}));
}

TEST_F(TlsTest, CutsAClientThatDoesNotSpeakTls) {
  options.header_timeout = 100ms;
  start_tls("DNS:localhost");
  RawClient plain(port()), silent(port());
  plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(plain.read_all().find("HTTP"), std::string::npos);
  EXPECT_EQ(silent.read_all(), "");
}

TEST_F(TlsTest, RefusesACertificateWithAnotherKey) {
  write_certificate("DNS:a", folder / "a.pem", folder / "a.key");
  write_certificate("DNS:b", folder / "b.pem", folder / "b.key");
  options.tls_certificate_file = folder / "a.pem";
  options.tls_key_file = folder / "b.key";
  const auto started = HttpServer::start(pools, router, test_principal, options, log, metrics);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().path, "tls_key_file");
}

}  // namespace
}  // namespace volan::net::testing
