// Reads a zip from standard input as it comes, and writes a line per entry: name and content, each in base64.
import java.util.Base64;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

class ZipStream {
  public static void main(String[] args) throws Exception {
    var base64 = Base64.getEncoder();
    try (var zip = new ZipInputStream(System.in)) {
      for (ZipEntry entry; (entry = zip.getNextEntry()) != null; ) {
        var name = base64.encodeToString(entry.getName().getBytes("UTF-8"));
        System.out.println(name + " " + base64.encodeToString(zip.readAllBytes()));
      }
    }
  }
}
