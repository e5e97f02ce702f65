# SPDX-License-Identifier: MIT
"""Files as offices have them: pasted from mails, written by spreadsheets, exported by other programs."""

import json

import pytest
from kit import dead_letters, refused


def write(world, name, text, encoding="utf-8"):
    with open(world.path(name), "wb") as file:
        file.write(text.encode(encoding) if isinstance(text, str) else text)
    return world.path(name)


def load(world, text, *options, kind="customer", name="in.csv", encoding="utf-8"):
    return world.ctl_json(kind, "import", write(world, name, text, encoding), *options)


def faults(world, text, *options, kind="customer", name="in.csv", encoding="utf-8", code=65):
    """The lines on standard error of an import that has to fail."""
    done = world.ctl(kind, "import", write(world, name, text, encoding), *options, check=False)
    assert done.returncode == code, done
    assert done.stdout == ""
    return done.stderr


def numbers(world):
    return [row["number"] for row in world.ctl_json("customer", "list")]


# ---- What nobody sees ----

def test_white_space_of_any_kind_around_a_key_is_nothing(world):
    load(world, "number,name\n\u00a01001\u2007,A\n\u3000 1002\u202f,\u2003B\u00a0\n")
    assert numbers(world) == ["1001", "1002"]
    assert world.ctl_json("customer", "show", "1002")["name"] == "B"
    load(world, "\ufeffcustomer\u00a0,email\n\u00a01001,\u2009a@example.com\u00a0\n", kind="contact")
    assert world.ctl_json("contact", "list", "1001")[0]["email"] == "a@example.com"
    world.ctl("customer", "add", "\u20071003\u00a0", "--name", "C", "--parent", "1001\u00a0")
    assert world.ctl_json("customer", "show", "\u00a01003")["parent"] == "1001"


@pytest.mark.parametrize("sign", ["\u200b", "\u200e", "\ufeff", "\u2060", "\u00ad", "\u202a", "\u3164"])
def test_a_key_with_an_invisible_character_is_refused_by_its_name(world, sign):
    named = f"U+{ord(sign):04X}"
    world.ctl("customer", "add", "1001", "--name", "A", "--email", "a@example.com")
    assert named in faults(world, f"number,name\n1002{sign},B\n")
    assert named in faults(world, f"number,name,account\n1002,B,A{sign}7\n")
    assert named in faults(world, f"number,name,email\n1002,B,b@example.com{sign}\n")
    assert named in faults(world, f"number{sign},name\n1002,B\n")
    assert named in faults(world, f"customer,email\n1001{sign},b@example.com\n", kind="contact")
    assert named in faults(world, json.dumps({"number": f"1002{sign}", "name": "B"}), name="in.jsonl")
    assert named in faults(world, json.dumps({"number": "1002", "name": "B", "parent": f"1001{sign}"}), name="in.jsonl")
    refused(world, 65, named, "customer", "add", f"1002{sign}", "--name", "B")
    refused(world, 65, named, "contact", "add", "1001", "--email", f"b{sign}@example.com")
    refused(world, 65, named, "contact", "add", f"1001{sign}", "--email", "b@example.com")
    refused(world, 65, named, "customer", "set", "1001", "--sales-rep", f"Sam{sign}")
    assert numbers(world) == ["1001"]


def test_the_feed_refuses_invisible_characters_too(world):
    world.start_daemon()
    world.xadd("customers:changes", customer=json.dumps({"number": "1001\u200b", "name": "A"}))
    assert b"U+200B" in dead_letters(world, 1)[0][b"dead_detail"]


# ---- What spreadsheets write ----

@pytest.mark.parametrize("cell", ['="00005"', '"=""00005"""', "'00005", '"=""\u00a000005"""', "00005"])
def test_a_number_that_a_spreadsheet_keeps_as_text(world, cell):
    load(world, f"number,name\n{cell},A\n")
    assert numbers(world) == ["00005"]


@pytest.mark.parametrize("cell", ["1E+05", "1.0E+05", "1.23457e+11", "5.0", "=00005", "#REF!", "########"])
@pytest.mark.parametrize("field", ["number", "account", "phone", "postal_code"])
def test_a_number_that_a_spreadsheet_has_spoilt(world, field, cell):
    row = {"number": "7", "name": "A", field: cell}
    reported = faults(world, ",".join(row) + "\n" + ",".join(row.values()) + "\n")
    assert "in.csv:2:" in reported and f"{field}: " in reported and "spreadsheet" in reported and cell in reported
    number, option = (cell, []) if field == "number" else ("7", [f"--{field.replace('_', '-')}", cell])
    refused(world, 65, "spreadsheet", "customer", "add", number, "--name", "A", *option)
    assert numbers(world) == []


def test_text_that_looks_like_a_formula_stays_text(world):
    load(world, "number,name,location_notes\n1E5,=1+1,1E+05\n12E4,x,'=2\n")
    assert numbers(world) == ["12E4", "1E5"]
    assert world.ctl_json("customer", "show", "1E5")["location_notes"] == "1E+05"


# ---- Emptied ----

def test_an_emptied_notify_is_none(world):
    world.ctl("customer", "add", "1", "--name", "A")
    one, two, three = (world.ctl_json("contact", "add", "1", "--email", f"{who}@example.com",
                                      "--notify", "failed")["id"] for who in "abc")
    assert world.ctl_json("contact", "set", one, "--notify", "")["notify"] == []
    load(world, f"id,customer,notify\n{two},1,\n", kind="contact")
    assert world.ctl_json("contact", "show", two)["notify"] == []
    load(world, json.dumps({"id": three, "customer": "1", "notify": None}), kind="contact", name="in.jsonl")
    assert world.ctl_json("contact", "show", three)["notify"] == []
    usual = ["dispatched", "started", "completed", "failed", "paused"]
    load(world, "customer,email,notify\n1,new@example.com,\n", kind="contact")
    assert world.ctl_json("contact", "list", "1")[-1]["notify"] == usual
    assert world.ctl_json("contact", "add", "1", "--email", "d@example.com", "--notify", "")["notify"] == usual
    assert world.ctl_json("contact", "add", "1", "--email", "e@example.com", "--notify", "none")["notify"] == []


def test_an_emptied_status_brings_nobody_back(world):
    world.ctl("customer", "add", "1", "--name", "A")
    world.ctl("customer", "deactivate", "1")
    assert "status" in faults(world, "number,status\n1,\n")
    assert world.ctl_json("customer", "show", "1")["status"] == "inactive"
    load(world, "number,name,status\n2,B,\n")
    assert world.ctl_json("customer", "show", "2")["status"] == "active"


# ---- The file as such ----

TABLE = "number,name,city\n1001,Z\u00fcrich Hauling,Z\u00fcrich\n1002,\U0001f69b Trucks,\u5317\u4eac\n"


@pytest.mark.parametrize("encoding, mark", [("utf-16-le", "\ufeff"), ("utf-16-be", "\ufeff"), ("utf-16-le", ""),
                                            ("utf-8", "\ufeff"), ("utf-8", "")])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_unicode_of_any_width(world, encoding, mark, separator):
    load(world, mark + TABLE.replace(",", separator).replace("\n", "\r\n"), encoding=encoding)
    assert world.ctl_json("customer", "show", "1001")["city"] == "Z\u00fcrich"
    assert world.ctl_json("customer", "show", "1002")["name"] == "\U0001f69b Trucks"


def test_windows_1252_is_named_with_what_to_do(world):
    reported = faults(world, "number,name\n1001,Z\u00fcrich\n1002,ok\n1003,\u20ac\n", encoding="cp1252")
    assert "in.csv:2:2: name: " in reported and "in.csv:4:2: name: " in reported and "in.csv:3" not in reported
    assert "Windows-1252" in reported and "CSV UTF-8" in reported and "iconv" in reported
    assert "Windows-1252" in faults(world, "number,name,stra\u00dfe\n1,x,y\n", encoding="cp1252")
    assert "Windows-1252" in faults(world, '{"number": "1", "name": "Z\u00fcrich"}\n', name="in.jsonl", encoding="cp1252")
    assert numbers(world) == []


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r\n"])
def test_lines_end_in_any_way(world, end):
    assert load(world, f"number,name{end}1,A{end}2,\"B\nb\"{end}".replace("\nb", " b"))["added"] == 2
    assert "in.csv:3:2: name: " in faults(world, f"number,name{end}1,A{end}2,{end}").replace("in.csv:5:", "in.csv:3:")


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"'])
def test_a_first_line_names_the_separator(world, first):
    assert load(world, f"{first}\r\nnumber;name\r\n1;A, B, and C\r\n")["added"] == 1
    assert world.ctl_json("customer", "show", "1")["name"] == "A, B, and C"
    assert load(world, "sep=|\nnumber|name\n2|x;y,z\n")["added"] == 1
    assert "in.csv:3:2: name" in faults(world, "sep=;\nnumber;name\n3;\n")


def test_rows_of_separators_are_passed_over(world):
    done = load(world, ",,\nnumber,name,city\n,,\n1,A,\n \u00a0, ,\n\"\",\"\",\"\"\n2,B,,,,\n,,,,,\n\n")
    assert (done["rows"], done["added"]) == (2, 2)


# ---- Names of columns ----

def test_columns_are_mapped_in_pairs_beside_a_file(world):
    mapping = write(world, "map", "town = city\nBALANCE = account\n")
    text = "Cust Ref,The Name,Balance,TOWN,a=b\n7,Example,12.50,Denver,x\n"
    load(world, text, "--map", mapping, "--map", "cust ref=Number", "--map", "The name = name", "--map", "Balance=",
         "--map", "a=b=")
    one = world.ctl_json("customer", "show", "7")
    assert (one["name"], one["city"], one["account"]) == ("Example", "Denver", None)
    reported = faults(world, text, "--map", mapping, "--map", "The Name=name", "--map", "a=b=")
    assert "Cust Ref" in reported and "--map" in reported
    assert "no such file" in faults(world, text, "--map", world.path("nowhere"), code=66).lower()


@pytest.mark.parametrize("header", [
    "Customer #,Customer Name,Street,City,State,Zip,Phone,E-mail",
    "Customer No.,NAME,Street Address,Town,State/Province,ZIP Code,Phone Number,Email Address",
    "customer id,Company,Address 1,city,Province,Post Code,Telephone,E-Mail",
    "Cust #,Display Name,Billing Street,Billing City,Billing State,Billing ZIP,Main Phone,Main Email",
    "Number,Full name,Address,City,State,Postal Code,Tel.,EMAIL",
])
def test_usual_headers_are_known(world, header):
    load(world, header + "\n1001,Example Farm,12 Main St,Denver,CO,80202,303 555 0100,a@example.com\n")
    one = world.ctl_json("customer", "show", "1001")
    assert [one[key] for key in ("name", "address", "city", "state", "postal_code", "phone")] == \
           ["Example Farm", "12 Main St", "Denver", "CO", "80202", "303 555 0100"]
    assert one["contacts"][0]["email"] == "a@example.com"


def test_an_export_of_quickbooks(world):
    text = ("Customer,Account No.,Company,First Name,M.I.,Last Name,Main Phone,Alt. Phone,Fax,Main Email,Terms,Rep,"
            "Balance Total\nExample Farm,A-7,Example Inc.,Pat,,Lee,303 555 0100,,,p@example.com,,Sam,100.00\n")
    assert "Balance Total" in faults(world, text, "--map", "Account No.=number")
    load(world, text, "--map", "Account No.=number", "--map", "balance total=")
    one = world.ctl_json("customer", "show", "A-7")
    assert (one["name"], one["dba"], one["sales_rep"]) == ("Example Farm", "Example Inc.", "Sam")
    assert (one["contacts"][0]["name"], one["contacts"][0]["email"]) == ("Pat Lee", "p@example.com")


def test_an_export_of_google_contacts(world):
    world.ctl("customer", "add", "1001", "--name", "A")
    text = ("Customer #,First Name,Middle Name,Last Name,Phonetic First Name,Nickname,Organization Name,Organization Title,"
            "Birthday,Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,"
            "Phone 1 - Label,Phone 1 - Value\n"
            "1001,Pat,,Lee,,,,Foreman,,{},,* myContacts,* Work,p@example.com,Home,p2@example.com,Work,303 555 0100\n")
    load(world, text.format(""), kind="contact")
    one = world.ctl_json("contact", "list", "1001")[0]
    assert [one[key] for key in ("first_name", "last_name", "title", "email", "alt_email", "work_phone")] == \
           ["Pat", "Lee", "Foreman", "p@example.com", "p2@example.com", "303 555 0100"]
    assert "in.csv:2:10: Notes: " in faults(world, text.format("Beware of the dog"), kind="contact")


# ---- Twice ----

def contacts(world, number="1001"):
    return sorted((row["name"] or row["first_name"] or "", row["email"] or "")
                  for row in world.ctl_json("contact", "list", number))


@pytest.mark.parametrize("text", [
    "customer,email\n1001,a@example.com\n1001,b@example.com\n",
    "customer,name,email\n1001,Ann,a@example.com\n1001,Bob,b@example.com\n",
    "customer,first_name,last_name,work_phone\n1001,Ann,Lee,303 555 0100\n1001,Bob,Lee,303 555 0101\n",
    "customer,name,email\n1001,Ann,office@example.com\n1001,Bob,office@example.com\n",
    "customer,name,email\n1001,Ann,a@example.com\n1001,Ann,b@example.com\n",
])
def test_contacts_imported_twice_are_there_once(world, text):
    world.ctl("customer", "add", "1001", "--name", "A")
    assert load(world, text, kind="contact")["added"] == 2
    before = world.ctl_json("contact", "list", "1001")
    done = load(world, text, kind="contact")
    assert (done["added"], done["changed"], done["same"]) == (0, 0, 2)
    assert world.ctl_json("contact", "list", "1001") == before


def test_a_contact_is_known_by_id_then_address_then_name(world):
    world.ctl("customer", "add", "1001", "--name", "A")
    one = world.ctl_json("contact", "add", "1001", "--name", "Ann", "--email", "ann@example.com")["id"]
    load(world, f"id,customer,name,email\n{one},1001,Anna,anna@example.com\n", kind="contact")
    assert contacts(world) == [("Anna", "anna@example.com")]
    load(world, "customer,name,email\n1001,Anna Lee,anna@EXAMPLE.COM\n", kind="contact")
    assert contacts(world) == [("Anna Lee", "anna@EXAMPLE.COM")]
    load(world, "customer,name,email\n1001,Anna Lee,new@example.com\n", kind="contact")
    assert contacts(world) == [("Anna Lee", "new@example.com")]
    load(world, "customer,email\n1001,new@example.com\n1001,new@example.com\n", kind="contact")
    assert contacts(world) == [("Anna Lee", "new@example.com")]


@pytest.mark.parametrize("name, text", [
    ("in.csv", "number,name\n1001,A\n1002,B\n1001,C\n"),
    ("in.jsonl", '{"number": "1001", "name": "A"}\n\n\n{"number": 1001, "name": "C"}\n'),
])
def test_a_number_in_two_rows_is_a_fault_with_both_lines(world, name, text):
    reported = faults(world, text, name=name)
    lines = (4, 2) if name == "in.csv" else (4, 1)
    assert f"{name}:{lines[0]}: number: 1001 is in line {lines[1]} already" in reported and "another name" in reported
    assert numbers(world) == []


def test_rows_that_differ_in_the_contact_add_contacts(world):
    text = ("number,name,contact,email\n1001,A,Ann,a@example.com\n1001,A,Bob,b@example.com\n1002,B,,\n"
            "1001,A,Ann,a2@example.com\n1002,B,Cy,c@example.com\n")
    load(world, text)
    wanted = [("Ann", "a2@example.com"), ("Ann", "a@example.com"), ("Bob", "b@example.com")]
    assert contacts(world) == wanted and contacts(world, "1002") == [("Cy", "c@example.com")]
    assert load(world, text)["same"] == 5
    rows = text.splitlines()
    assert load(world, "\n".join([rows[0]] + rows[:0:-1]) + "\n")["changed"] == 0
    assert contacts(world) == wanted


def test_one_address_gets_one_mail(world, smtp):
    world.ctl("customer", "add", "1001", "--name", "A", "--email", "office@example.com")
    other = world.ctl_json("contact", "add", "1001", "--name", "Bob", "--email", "office@EXAMPLE.com")["id"]
    done = world.ctl("check", "--json", check=False)
    assert done.returncode == 1
    found = [row for row in json.loads(done.stdout) if row["finding"] == "same_address"]
    assert [row["customer"] for row in found] == ["1001"] and "office@example.com" in found[0]["text"]
    event = json.dumps({"id": 1, "type": "job.completed", "job": 1, "customer": 1001})
    verdicts = world.ctl_json("explain", "--event", event)["contacts"]
    assert [(row["status"], row["reason"]) for row in verdicts] == [("queued", "ok"), ("suppressed", "same_address")]
    world.start_daemon()
    world.xadd(id="1", type="job.completed", job="1", customer="1001")
    outcome = world.outcomes(wait_for={"event": "1", "status": "suppressed", "reason": "same_address"})
    assert outcome["contact"] == str(other)
    world.outcomes(wait_for={"event": "1", "status": "sent"})
    assert len(smtp.mails) == 1
