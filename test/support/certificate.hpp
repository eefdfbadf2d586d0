#pragma once
// test/support/certificate.hpp - a certificate that signs itself, for the tests' own servers and clients.

#include <string>

namespace support {

struct certificate {
    std::string cert;  // PEM
    std::string key;   // likewise
};

/// `names` as OpenSSL spells them: "DNS:localhost,IP:127.0.0.1".
certificate make_certificate(const std::string& names);

/// A file of its own with this content, which goes with the object.
class temporary_file {
  public:
    explicit temporary_file(const std::string& content);
    ~temporary_file();
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;

    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

}  // namespace support
